// Package clonetest makes git repositories on disk for tests: Clones with git,
// from the folder of an organisation, and Write without git, for trees that
// git would refuse and for many repositories in little time. What it makes is
// the same at every run, commit ids included.
package clonetest

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Time is when a commit was made whose time does not matter.
var Time = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Clones makes a git clone of each repository in the folder of an
// organisation (org.yaml and repos/NAME, as package githubtest describes it)
// and returns the folder that holds them, ready to be harvested. Their remote
// origin is https://github.com/LOGIN/NAME.git, and their one commit bears the
// repository's pushedAt. The test is skipped where there is no git.
func Clones(t testing.TB, fsys fs.FS) string {
	t.Helper()
	var org struct {
		Login string
		Repos map[string]struct {
			DefaultBranch string    `yaml:"defaultBranch"`
			PushedAt      time.Time `yaml:"pushedAt"`
		}
	}
	b, err := fs.ReadFile(fsys, "org.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &org))
	folders, err := fs.ReadDir(fsys, "repos")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		about := org.Repos[f.Name()]
		if about.PushedAt.IsZero() {
			about.PushedAt = Time
		}
		clone := filepath.Join(dir, f.Name())
		Git(t, dir, about.PushedAt, "init", "-q", "-b", cmp.Or(about.DefaultBranch, "main"), clone)
		Git(t, clone, about.PushedAt, "remote", "add", "origin", "https://github.com/"+org.Login+"/"+f.Name()+".git")
		if copyFiles(t, fsys, path.Join("repos", f.Name()), clone) {
			Git(t, clone, about.PushedAt, "add", "--all", "--force")
			Git(t, clone, about.PushedAt, "commit", "-q", "-m", "Everything")
		}
	}
	return dir
}

// copyFiles tells whether there were any.
func copyFiles(t testing.TB, fsys fs.FS, from, to string) bool {
	any := false
	require.NoError(t, fs.WalkDir(fsys, from, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".empty" {
			return err
		}
		any = true
		b, err := fs.ReadFile(fsys, at)
		if err != nil {
			return err
		}
		file := filepath.Join(to, filepath.FromSlash(strings.TrimPrefix(at, from+"/")))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, b, 0o644)
	}))
	return any
}

// Git runs git in dir, untouched by any configuration of the machine, and
// returns what it prints. The test is skipped where there is no git, or fails
// if WAYPOST_REQUIRE_ALL is set.
func Git(t testing.TB, dir string, at time.Time, args ...string) string {
	t.Helper()
	bin, err := exec.LookPath("git")
	if err != nil {
		if os.Getenv("WAYPOST_REQUIRE_ALL") != "" {
			t.Fatal("git is not installed")
		}
		t.Skip("git is not installed")
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	date := fmt.Sprintf("%d +0000", at.Unix())
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_TERMINAL_PROMPT=0", "LC_ALL=C",
		"GIT_AUTHOR_NAME=Sample", "GIT_AUTHOR_EMAIL=sample@example.com", "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=Sample", "GIT_COMMITTER_EMAIL=sample@example.com", "GIT_COMMITTER_DATE=" + date,
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %s: %s", strings.Join(args, " "), out)
	return string(out)
}

// Repository is what Write writes. The zero value is an empty repository.
type Repository struct {
	Files  []File
	Branch string    // main if empty
	Origin string    // URL of the remote
	Time   time.Time // of the commit
	Bare   bool
	Loose  bool // objects as files of their own in place of one pack
}

// File is a file in the commit. Its path is taken as it is: "../a" makes a
// tree with a folder named "..".
type File struct {
	Path, Content string
	Mode          string // 100644 if empty
}

// Write writes a repository of one commit, or none if there is no file, to
// dir, and returns the commit. What stands in dir is replaced.
func Write(t testing.TB, dir string, r Repository) string {
	t.Helper()
	require.NoError(t, os.RemoveAll(dir))
	git := dir
	if !r.Bare {
		git = filepath.Join(dir, ".git")
	}
	branch := cmp.Or(r.Branch, "main")
	ref := filepath.Join(git, "refs", "heads", filepath.FromSlash(branch))
	for _, d := range []string{filepath.Dir(ref), filepath.Join(git, "objects", "pack")} {
		require.NoError(t, os.MkdirAll(d, 0o755))
	}
	config := fmt.Sprintf("[core]\n\trepositoryformatversion = 0\n\tbare = %t\n", r.Bare)
	if r.Origin != "" {
		config += "[remote \"origin\"]\n\turl = " + r.Origin + "\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
	}
	write := func(path, content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o644)) }
	write(filepath.Join(git, "config"), config)
	write(filepath.Join(git, "HEAD"), "ref: refs/heads/"+branch+"\n")
	if len(r.Files) == 0 {
		return ""
	}
	if r.Time.IsZero() {
		r.Time = Time
	}
	objects := store{}
	tree := objects.tree(r.Files)
	who := fmt.Sprintf("Sample <sample@example.com> %d +0000", r.Time.Unix())
	commit := hex.EncodeToString(objects.put("commit", fmt.Appendf(nil, "tree %x\nauthor %s\ncommitter %s\n\nEverything\n", tree, who, who)))
	if r.Loose {
		objects.loose(t, filepath.Join(git, "objects"))
	} else {
		objects.pack(t, filepath.Join(git, "objects", "pack"))
	}
	write(ref, commit+"\n")
	return commit
}

// store holds objects by id.
type store map[[20]byte]object

type object struct {
	kind    string
	content []byte
}

func (s store) put(kind string, content []byte) []byte {
	id := sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kind, len(content), content))
	s[id] = object{kind, content}
	return id[:]
}

// tree stores files and folders, and returns the root's id.
func (s store) tree(files []File) []byte {
	type entry struct {
		mode, name string
		id         []byte
	}
	var entries []entry
	folders := map[string][]File{}
	for _, f := range files {
		name, rest, deeper := strings.Cut(f.Path, "/")
		if deeper {
			folders[name] = append(folders[name], File{rest, f.Content, f.Mode})
			continue
		}
		e := entry{cmp.Or(f.Mode, "100644"), name, nil}
		if e.mode == "160000" {
			id := sha1.Sum([]byte(f.Content)) // a commit of another repository
			e.id = id[:]
		} else {
			e.id = s.put("blob", []byte(f.Content))
		}
		entries = append(entries, e)
	}
	for name, below := range folders {
		entries = append(entries, entry{"40000", name, s.tree(below)})
	}
	key := func(e entry) string {
		if e.mode == "40000" {
			return e.name + "/"
		}
		return e.name
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(key(a), key(b)) })
	var b []byte
	for _, e := range entries {
		b = append(fmt.Appendf(b, "%s %s\x00", e.mode, e.name), e.id...)
	}
	return s.put("tree", b)
}

// deflaters are costly to make.
var deflaters = sync.Pool{New: func() any {
	z, err := zlib.NewWriterLevel(nil, zlib.BestSpeed)
	if err != nil {
		panic(err)
	}
	return z
}}

func deflate(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(&out)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func (s store) loose(t testing.TB, dir string) {
	for id, o := range s {
		name := hex.EncodeToString(id[:])
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name[:2]), 0o755))
		b := deflate(t, fmt.Appendf(nil, "%s %d\x00%s", o.kind, len(o.content), o.content))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name[:2], name[2:]), b, 0o444))
	}
}

// pack writes a pack without deltas and its index (gitformat-pack(5)).
func (s store) pack(t testing.TB, dir string) {
	ids := make([][20]byte, 0, len(s))
	for id := range s {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	be := binary.BigEndian
	data := be.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(len(ids)))
	var fan [256]uint32
	var names, sums, offsets []byte
	for _, id := range ids {
		o := s[id]
		start := len(data)
		size := len(o.content)
		head := byte(map[string]int{"commit": 1, "tree": 2, "blob": 3}[o.kind]<<4 | size&15)
		for size >>= 4; size > 0; size >>= 7 {
			data = append(data, head|0x80)
			head = byte(size & 0x7f)
		}
		data = append(append(data, head), deflate(t, o.content)...)
		for i := int(id[0]); i < 256; i++ {
			fan[i]++
		}
		names = append(names, id[:]...)
		sums = be.AppendUint32(sums, crc32.ChecksumIEEE(data[start:]))
		offsets = be.AppendUint32(offsets, uint32(start))
	}
	sum := sha1.Sum(data)
	data = append(data, sum[:]...)
	index := []byte("\377tOc\x00\x00\x00\x02")
	for _, n := range fan {
		index = be.AppendUint32(index, n)
	}
	index = slices.Concat(index, names, sums, offsets, sum[:])
	own := sha1.Sum(index)
	index = append(index, own[:]...)
	stem := filepath.Join(dir, "pack-"+hex.EncodeToString(sum[:]))
	require.NoError(t, os.WriteFile(stem+".pack", data, 0o444))
	require.NoError(t, os.WriteFile(stem+".idx", index, 0o444))
}
