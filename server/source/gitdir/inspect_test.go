package gitdir

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
)

// What an Inspector tells is what git itself tells.
func TestInspect(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "shop")
	require.NoError(t, os.Mkdir(dir, 0o700))
	start := clonetest.Time
	git := func(at time.Time, args ...string) string { return clonetest.Git(t, dir, at, args...) }
	git(start, "init", "--quiet", "--initial-branch=main")
	write := func(path, text string) {
		full := filepath.Join(dir, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o700))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o600))
	}
	day := func(n int) time.Time { return start.Add(time.Duration(n) * 24 * time.Hour) }
	commit := func(n int, path string) {
		write(path, fmt.Sprint(n))
		git(day(n), "add", "-A")
		git(day(n), "commit", "--quiet", "-m", path)
	}
	commit(1, "README.md")
	commit(2, "services/web/a.go")
	commit(3, "services/pay/a.go")
	git(day(4), "checkout", "--quiet", "-b", "side")
	commit(4, "services/web/b.go")
	commit(5, "docs/ü x.md")
	git(day(6), "checkout", "--quiet", "main")
	commit(6, "services/pay/b.go")
	git(day(7), "merge", "--quiet", "--no-ff", "-m", "merge", "side")
	commit(8, "services/web/a.go")
	head := strings.TrimSpace(git(day(9), "rev-parse", "HEAD"))

	s, err := New(Options{Path: root})
	require.NoError(t, err)
	place := source.Place{ID: "shop", Name: "x/shop", Commit: head}
	text, err := s.Content(t.Context(), place, "docs/ü x.md")
	require.NoError(t, err)
	require.Equal(t, "5", string(text))
	for _, path := range []string{"docs", "none", "", "../shop/README.md"} {
		_, err = s.Content(t.Context(), place, path)
		require.ErrorIs(t, err, source.ErrNotGiven, path)
	}
	for _, folder := range []string{"", "services", "services/web", "services/pay", "docs", "none", "README.md"} {
		at := source.Place{ID: "shop", Name: "x/shop", Commit: head, Folder: folder}
		files, err := s.Files(t.Context(), at)
		require.NoError(t, err)
		var want []string
		args := []string{"-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "HEAD"}
		if folder != "" {
			args = append(args, folder+"/")
		}
		for line := range strings.Lines(git(day(9), args...)) {
			want = append(want, strings.TrimSpace(line))
		}
		slices.Sort(want)
		slices.Sort(files)
		require.Equal(t, want, files, "files of %q", folder)
		for _, days := range []int{0, 3, 5, 20} {
			commits, err := s.Commits(t.Context(), at, day(days).Add(-time.Hour), 100)
			require.NoError(t, err)
			args := []string{"log", "--no-merges", "--format=%H %ae", "--since=" + day(days).Add(-time.Hour).Format(time.RFC3339)}
			if folder != "" {
				args = append(args, "--", folder)
			}
			var got, want []string
			for _, c := range commits {
				got = append(got, c.Hash+" "+c.Email)
				require.False(t, c.Time.IsZero())
			}
			for line := range strings.Lines(git(day(9), args...)) {
				want = append(want, strings.TrimSpace(line))
			}
			require.Equal(t, want, got, "commits of %q since day %d", folder, days)
		}
	}
	few, err := s.Commits(t.Context(), source.Place{ID: "shop", Commit: head}, time.Time{}, 2)
	require.NoError(t, err)
	require.Len(t, few, 2)
	for _, bad := range []source.Place{{ID: "../shop", Commit: head}, {ID: "nobody", Commit: head}, {ID: "shop", Commit: "x"}, {ID: "shop"}} {
		_, err := s.Files(t.Context(), bad)
		require.ErrorIs(t, err, source.ErrNotGiven, "%v", bad)
	}
	_, err = s.Files(t.Context(), source.Place{ID: "shop", Commit: strings.Repeat("0", 40)})
	require.Error(t, err)
}
