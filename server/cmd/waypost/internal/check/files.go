package check

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
)

// Reading says how files are read.
type Reading struct {
	// ReadAllow are the hosts to which Locations and placeholders may lead.
	ReadAllow []string
	// Branch is the one to which addresses of the repository's own files lead, for
	// a clone that does not say it.
	Branch string
}

// Read reads the files below a folder that match the patterns, as the working tree
// of a repository, and all to which they lead.
func (r Reading) Read(ctx context.Context, root string, patterns []string) (source.Repository, error) {
	s, err := gitdir.New(gitdir.Options{Path: root, WorkingTree: true, Patterns: patterns, Branch: r.Branch, ReadAllow: r.ReadAllow})
	if err != nil {
		return source.Repository{}, err
	}
	read, err := harvest.Read(ctx, s, source.Scope{Repositories: []source.Pointer{{ID: "."}}})
	if err != nil {
		return source.Repository{}, err
	}
	return read[0], nil
}

// ReadFiles reads files of one repository, as Read does.
func (r Reading) ReadFiles(ctx context.Context, paths []string) (source.Repository, error) {
	found, err := places(paths, nil)
	if err != nil {
		return source.Repository{}, err
	}
	if len(found) != 1 {
		return source.Repository{}, fmt.Errorf("the files belong to %d repositories; name those of one", len(found))
	}
	repo, err := r.Read(ctx, found[0].root, found[0].patterns)
	if err != nil {
		return source.Repository{}, err
	}
	read := map[string]bool{}
	for _, d := range repo.Documents {
		read[d.Path] = true
	}
	for _, p := range found[0].files {
		if !read[p] {
			return source.Repository{}, fmt.Errorf("%s lies in no folder of the repository %s that is read", p, found[0].root)
		}
	}
	return repo, nil
}

// place is a repository, and what is read of it.
type place struct {
	root     string // absolute, without links
	patterns []string
	files    []string // that were named, from the root, with slashes
}

// places are the repositories in which files and folders lie: the clone around it,
// or else a folder itself; for a file, the working directory if it is below that,
// or else its folder.
func places(paths, patterns []string) ([]*place, error) {
	for _, p := range patterns {
		if !doublestar.ValidatePattern(p) {
			return nil, fmt.Errorf("pattern %q is malformed", p)
		}
	}
	var out []*place
	byRoot := map[string]*place{}
	for _, name := range paths {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		folder, base := name, ""
		if !info.IsDir() {
			folder, base = filepath.Dir(name), filepath.Base(name)
		}
		if folder, err = filepath.EvalSymlinks(folder); err != nil {
			return nil, err
		}
		if folder, err = filepath.Abs(folder); err != nil {
			return nil, err
		}
		root := enclosing(folder)
		if root == "" {
			root = folder
			if wd, rel := below(folder); base != "" && rel != "" {
				root = wd
			}
		}
		rel, err := filepath.Rel(root, folder)
		if err != nil {
			return nil, err
		}
		rel = filepath.ToSlash(rel)
		p := byRoot[root]
		if p == nil {
			p = &place{root: root}
			byRoot[root] = p
			out = append(out, p)
		}
		if base != "" {
			p.files = append(p.files, path.Join(rel, base))
			p.patterns = append(p.patterns, escape(path.Join(rel, base)))
			continue
		}
		for _, pattern := range patterns {
			p.patterns = append(p.patterns, path.Join(escape(rel), pattern))
		}
	}
	return out, nil
}

// enclosing is the root of the clone in which a folder lies; empty if in none.
func enclosing(folder string) string {
	for {
		if _, err := os.Lstat(filepath.Join(folder, ".git")); err == nil {
			return folder
		}
		up := filepath.Dir(folder)
		if up == folder {
			return ""
		}
		folder = up
	}
}

// escape keeps wildcards in a name from being meant.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`).Replace(name)
}

// below is the working directory, and a path from there; empty if it is not below.
func below(full string) (wd, rel string) {
	wd, err := os.Getwd()
	if err == nil {
		wd, err = filepath.EvalSymlinks(wd)
	}
	if err != nil {
		return "", ""
	}
	if rel, err = filepath.Rel(wd, full); err != nil || !filepath.IsLocal(rel) {
		return wd, ""
	}
	return wd, rel
}

// display is a path as it is shown: with slashes, and relative to the working
// directory if it lies below, because that is how code hosts name files.
func display(full string) string {
	if _, rel := below(full); rel != "" {
		full = rel
	}
	return filepath.ToSlash(full)
}
