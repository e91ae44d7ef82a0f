package objectdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ReadFile reads a regular file of at most limit bytes. Unlike os.ReadFile it
// does not hang on a named pipe, and does not read a device.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than %d: %w", path, size, limit, ErrTooLarge)
	}
	b := make([]byte, size)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b[:n], nil
}

func openRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, 0, fmt.Errorf("%s is not a regular file: %w", path, errors.ErrUnsupported)
	}
	return f, st.Size(), nil
}

// contents is a file that is read here and there: small ones are in memory.
type contents struct {
	io.ReaderAt
	size int64
	file *os.File // nil if in memory
}

func openContents(path string) (*contents, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	if size > wholeFile {
		return &contents{f, size, f}, nil
	}
	defer f.Close()
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, err
	}
	return &contents{bytes.NewReader(b), size, nil}, nil
}

func (c *contents) close() error {
	if c == nil || c.file == nil {
		return nil
	}
	return c.file.Close()
}
