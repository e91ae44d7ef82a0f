// Package objectdb reads the objects of a git repository on disk: loose ones,
// packs with their version 2 indexes, deltas of both sorts, and alternates. It
// only reads, runs nothing, and bounds all that it takes into memory.
//
// It exists because reading three small objects from each of 10,000 clones is
// the case that matters here: a child process for each costs far too much, and
// go-git, which is made for working with one repository for long, takes three
// to four times as long (BenchmarkHarvest10000Repos in the parent folder).
//
// The formats are those of gitformat-pack(5) and of the loose objects described
// in Git Internals; SHA-1 and SHA-256 repositories are read.
package objectdb

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// ID is an object's id as raw bytes: 20 of them for SHA-1, 32 for SHA-256.
type ID string

// ParseID reads an id in hex.
func ParseID(s string) (ID, error) {
	if len(s) != 2*sha1.Size && len(s) != 2*sha256.Size {
		return "", fmt.Errorf("%.80q is no object id", s)
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("%.80q is no object id", s)
	}
	return ID(b), nil
}

// String is the id in hex.
func (id ID) String() string { return hex.EncodeToString([]byte(id)) }

// Kind is the type of an object.
type Kind byte

// The kinds, numbered as in packs.
const (
	Commit Kind = 1
	Tree   Kind = 2
	Blob   Kind = 3
	Tag    Kind = 4
)

var kindNames = map[Kind]string{Commit: "commit", Tree: "tree", Blob: "blob", Tag: "tag"}

func (k Kind) String() string { return kindNames[k] }

// Errors of reading, to be tested with errors.Is.
var (
	ErrMissing  = errors.New("object is missing")
	ErrCorrupt  = errors.New("object is corrupt")
	ErrTooLarge = errors.New("object is too large")
)

const (
	maxObject     = 64 << 20 // of an object or delta base in memory
	maxAlternates = 5        // depth, as git's
	maxPacks      = 20_000
	wholeFile     = 256 << 10 // up to which a pack or index is read in one go
)

// DB is the object database of one repository. It is safe for concurrent use.
// Files stay open until Close.
type DB struct {
	dirs []string // objects folders: our own, then alternates

	once    sync.Once
	packs   []*pack
	openErr error

	mu    sync.Mutex
	bases map[base][]byte // unpacked delta bases, all dropped when they grow
	size  int
}

// Open reads from an objects folder. Nothing is touched before the first Read.
func Open(objects string) *DB {
	return &DB{dirs: []string{objects}}
}

// Close closes the packs.
func (db *DB) Close() error {
	db.once.Do(func() {})
	var err error
	for _, p := range db.packs {
		err = errors.Join(err, p.close())
	}
	db.packs = nil
	return err
}

// Read returns an object whole. Over limit bytes it is left unread, and the
// error is ErrTooLarge. The content is checked against the id.
func (db *DB) Read(id ID, limit int64) (Kind, []byte, error) {
	limit = min(limit, maxObject)
	k, b, err := db.find(id, limit)
	if err != nil {
		return 0, nil, fmt.Errorf("object %s: %w", id, err)
	}
	if Hash(len(id), k, b) != id {
		return 0, nil, fmt.Errorf("object %s: %w: its content has another id", id, ErrCorrupt)
	}
	return k, b, nil
}

func (db *DB) find(id ID, limit int64) (Kind, []byte, error) {
	if err := db.open(); err != nil {
		return 0, nil, err
	}
	for _, p := range db.packs {
		off, err := p.find(id)
		if errors.Is(err, ErrMissing) {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		return db.readPacked(p, off, limit, chain{})
	}
	return db.readLoose(id, limit)
}

// Size is the size of an object's content, without reading it.
func (db *DB) Size(id ID) (int64, error) {
	if err := db.open(); err != nil {
		return 0, err
	}
	for _, p := range db.packs {
		off, err := p.find(id)
		if errors.Is(err, ErrMissing) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("object %s: %w", id, err)
		}
		n, err := p.objectSize(off, len(id))
		if err != nil {
			return 0, fmt.Errorf("object %s: %w", id, err)
		}
		return n, nil
	}
	n, err := db.looseSize(id)
	if err != nil {
		return 0, fmt.Errorf("object %s: %w", id, err)
	}
	return n, nil
}

// Hash is the id of an object with this content; size is the length of ids in
// the repository, 20 or 32.
func Hash(size int, k Kind, content []byte) ID {
	head := make([]byte, 0, 32)
	head = append(head, k.String()...)
	head = append(head, ' ')
	head = strconv.AppendInt(head, int64(len(content)), 10)
	head = append(head, 0)
	if size == sha256.Size {
		h := sha256.New()
		h.Write(head)
		h.Write(content)
		return ID(h.Sum(nil))
	}
	h := sha1.New()
	h.Write(head)
	h.Write(content)
	return ID(h.Sum(nil))
}

// open lists the packs here and in the alternates.
func (db *DB) open() error {
	db.once.Do(func() { db.openErr = db.list(db.dirs[0], 0) })
	return db.openErr
}

func (db *DB) list(objects string, depth int) error {
	entries, err := os.ReadDir(filepath.Join(objects, "pack"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list packs: %w", err)
	}
	for _, e := range entries {
		if stem, ok := strings.CutSuffix(e.Name(), ".idx"); ok {
			if len(db.packs) == maxPacks {
				return fmt.Errorf("more than %d packs: %w; run git gc", maxPacks, ErrTooLarge)
			}
			db.packs = append(db.packs, &pack{stem: filepath.Join(objects, "pack", stem)})
		}
	}
	b, err := ReadFile(filepath.Join(objects, "info", "alternates"), 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read alternates: %w", err)
	}
	for _, line := range bytes.Split(b, []byte("\n")) {
		dir := strings.TrimSpace(string(line))
		if dir == "" || dir[0] == '#' {
			continue
		}
		if depth == maxAlternates {
			return fmt.Errorf("alternates are nested more than %d deep", maxAlternates)
		}
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(objects, dir)
		}
		db.dirs = append(db.dirs, dir)
		if len(db.dirs) > 64 {
			return fmt.Errorf("more than 64 alternates")
		}
		if err := db.list(dir, depth+1); err != nil {
			return err
		}
	}
	return nil
}
