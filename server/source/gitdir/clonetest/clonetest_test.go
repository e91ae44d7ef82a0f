package clonetest_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
)

// TestWrite has git itself check what is written without it.
func TestWrite(t *testing.T) {
	t.Parallel()
	files := []clonetest.File{{Path: "a.txt", Content: "a"}, {Path: "b/c.txt", Content: strings.Repeat("long ", 9999)}, {Path: "b.txt", Content: ""}, {Path: "run", Content: "x", Mode: "100755"}, {Path: "link", Content: "a.txt", Mode: "120000"}}
	var commit string
	for _, r := range []clonetest.Repository{{Files: files}, {Files: files, Loose: true}, {Files: files, Bare: true}, {}} {
		dir := filepath.Join(t.TempDir(), "r")
		id := clonetest.Write(t, dir, r)
		clonetest.Git(t, dir, clonetest.Time, "fsck", "--strict", "--no-dangling")
		if len(r.Files) == 0 {
			require.Empty(t, id)
			continue
		}
		require.Equal(t, id, strings.TrimSpace(clonetest.Git(t, dir, clonetest.Time, "rev-parse", "main")))
		require.Equal(t, "a.txt\nb.txt\nb/c.txt\nlink\nrun\n", clonetest.Git(t, dir, clonetest.Time, "ls-tree", "-r", "--name-only", "HEAD"))
		if commit == "" {
			commit = id
		}
		require.Equal(t, commit, id, "the same files make the same commit")
	}
}
