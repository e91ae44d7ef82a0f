package clonetest

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Corpus makes a clone of each repository in a folder of real ones, and returns
// the folder that holds them: the files that are there, and empty ones for the
// rest of the tree, of which .tree.txt lists the paths; .head.txt tells of the
// commit. Each clone has one commit.
func Corpus(t testing.TB, from string) string {
	t.Helper()
	owner := filepath.Base(from)
	dir := filepath.Join(t.TempDir(), owner)
	repositories, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, r := range repositories {
		root := filepath.Join(from, r.Name())
		files := map[string]string{}
		head := map[string]string{}
		require.NoError(t, filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(at)
			require.NoError(t, err)
			path, err := filepath.Rel(root, at)
			require.NoError(t, err)
			switch path = filepath.ToSlash(path); path {
			case ".tree.txt":
				for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
					if _, ok := files[line]; !ok && line != "" {
						files[line] = ""
					}
				}
			case ".head.txt":
				for _, line := range strings.Split(string(b), "\n") {
					if k, v, ok := strings.Cut(line, "="); ok {
						head[k] = v
					}
				}
			case ".log.txt", ".tags.txt", ".symlinks.txt":
			default:
				files[path] = string(b)
			}
			return nil
		}))
		committed, err := time.Parse(time.RFC3339, head["committed"])
		require.NoError(t, err)
		out := Repository{
			Branch: cmp.Or(head["branch"], "main"), Time: committed, Bare: true,
			Origin: "https://github.com/" + owner + "/" + r.Name() + ".git",
		}
		for path, content := range files {
			if !belowFile(files, path) {
				out.Files = append(out.Files, File{Path: path, Content: content})
			}
		}
		Write(t, filepath.Join(dir, r.Name()), out)
	}
	return dir
}

// belowFile tells whether a folder of path is listed as a file: a symbolic link
// in the original.
func belowFile(files map[string]string, path string) bool {
	for i := range path {
		if path[i] == '/' {
			if _, ok := files[path[:i]]; ok {
				return true
			}
		}
	}
	return false
}
