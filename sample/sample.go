// Package sample holds the organisation that a first run shows: Acme
// Outfitters, an outdoor shop with some 36 repositories, teams that nest, and
// a few deliberate mistakes, which acme/README.md lists. It is data only, in
// the format that package githubtest reads.
package sample

import (
	"embed"
	"io/fs"
	"slices"
	"strings"
)

//go:embed all:acme
var files embed.FS

// suffix hides the Go files and modules of the sample from Go's own tools,
// which would neither embed a folder with a go.mod nor leave a .go file alone.
const suffix = ".sample"

// Acme is the folder of the organisation: org.yaml and repos/NAME. It is safe
// for concurrent use.
func Acme() fs.FS {
	sub, err := fs.Sub(files, "acme")
	if err != nil {
		panic(err) // the name is a constant
	}
	return unhidden{sub}
}

// unhidden shows files named x.sample as x.
type unhidden struct{ fs.FS }

func (u unhidden) Open(name string) (fs.File, error) {
	f, err := u.FS.Open(name)
	if err == nil {
		return f, nil
	}
	if hidden, herr := u.FS.Open(name + suffix); herr == nil {
		return hidden, nil
	}
	return nil, err
}

func (u unhidden) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(u.FS, name)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		entries[i] = entry{e}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

type entry struct{ fs.DirEntry }

func (e entry) Name() string { return strings.TrimSuffix(e.DirEntry.Name(), suffix) }

func (e entry) Info() (fs.FileInfo, error) {
	i, err := e.DirEntry.Info()
	return info{i}, err
}

type info struct{ fs.FileInfo }

func (i info) Name() string { return strings.TrimSuffix(i.FileInfo.Name(), suffix) }
