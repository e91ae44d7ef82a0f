package objectdb

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// inflater is a zlib reader with its buffer, both costly to make.
type inflater struct {
	in *bufio.Reader
	z  io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{in: bufio.NewReaderSize(nil, 4096)}
}}

// inflate starts to read a zlib stream. The caller gives the inflater back
// with done.
func inflate(r io.Reader) (*inflater, error) {
	i := inflaters.Get().(*inflater)
	i.in.Reset(r)
	var err error
	if i.z == nil {
		i.z, err = zlib.NewReader(i.in)
	} else {
		err = i.z.(zlib.Resetter).Reset(i.in, nil)
	}
	if err != nil {
		i.done()
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return i, nil
}

func (i *inflater) done() {
	i.in.Reset(nil)
	inflaters.Put(i)
}

// full reads exactly n bytes and the end of the stream, which checks the sum.
func (i *inflater) full(n int64) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(i.z, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	var one [1]byte
	if m, err := i.z.Read(one[:]); m != 0 || !errors.Is(err, io.EOF) {
		if err == nil || errors.Is(err, io.EOF) {
			err = errors.New("it is longer than it says")
		}
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return b, nil
}

func (db *DB) openLoose(id ID) (*contents, error) {
	name := id.String()
	for _, dir := range db.dirs {
		c, err := openContents(filepath.Join(dir, name[:2], name[2:]))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return c, err
	}
	return nil, ErrMissing
}

func (db *DB) readLoose(id ID, limit int64) (Kind, []byte, error) {
	c, err := db.openLoose(id)
	if err != nil {
		return 0, nil, err
	}
	defer c.close()
	i, err := inflate(io.NewSectionReader(c, 0, c.size))
	if err != nil {
		return 0, nil, err
	}
	defer i.done()
	k, n, err := looseHeader(i.z)
	if err != nil {
		return 0, nil, err
	}
	if n > limit {
		return 0, nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, n, limit)
	}
	b, err := i.full(n)
	return k, b, err
}

func (db *DB) looseSize(id ID) (int64, error) {
	c, err := db.openLoose(id)
	if err != nil {
		return 0, err
	}
	defer c.close()
	i, err := inflate(io.NewSectionReader(c, 0, c.size))
	if err != nil {
		return 0, err
	}
	defer i.done()
	_, n, err := looseHeader(i.z)
	return n, err
}

// looseHeader reads "type size\0", a byte at a time so as to take no more.
func looseHeader(r io.Reader) (Kind, int64, error) {
	var head [32]byte
	for i := range head {
		if _, err := io.ReadFull(r, head[i:i+1]); err != nil {
			return 0, 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if head[i] != 0 {
			continue
		}
		kind, size, _ := strings.Cut(string(head[:i]), " ")
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil || n < 0 {
			break
		}
		for k, name := range kindNames {
			if name == kind {
				return k, n, nil
			}
		}
		break
	}
	return 0, 0, fmt.Errorf("%w: its header is not that of an object", ErrCorrupt)
}
