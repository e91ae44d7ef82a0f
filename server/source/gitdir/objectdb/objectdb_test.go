package objectdb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
)

// TestAgainstGit reads every object of a repository in several forms and holds
// it against git.
func TestAgainstGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git := func(args ...string) string { return clonetest.Git(t, dir, clonetest.Time, args...) }
	git("init", "-q", "-b", "main")
	for i := range 12 {
		text := strings.Repeat("a line that stays the same\n", 300)
		for n := range i {
			text += strings.Repeat("x", n*13) + "\n"
		}
		for name, content := range map[string]string{"a.txt": text, "b/c.txt": text[100:], "empty": "", "big": strings.Repeat(text, 40)} {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
		}
		git("add", ".")
		git("commit", "-q", "-m", "x")
	}
	git("tag", "-a", "-m", "a tag", "v1")
	for _, prepare := range [][]string{
		{"status"}, // loose
		{"repack", "-adfq", "--depth=40", "--window=30"},
		{"-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"},
		{"-c", "core.compression=0", "repack", "-adFq"},
	} {
		git(prepare...)
		db := objectdb.Open(filepath.Join(dir, ".git", "objects"))
		n := 0
		for line := range strings.Lines(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype) %(objectsize)")) {
			f := strings.Fields(line)
			id, err := objectdb.ParseID(f[0])
			require.NoError(t, err)
			kind, content, err := db.Read(id, 1<<30)
			require.NoError(t, err, line)
			require.Equal(t, f[1], kind.String())
			size, err := db.Size(id)
			require.NoError(t, err, line)
			require.EqualValues(t, len(content), size)
			if kind != objectdb.Tree { // git prints trees for people
				require.True(t, git("cat-file", f[1], f[0]) == string(content), line)
			}
			if size > 0 {
				_, _, err = db.Read(id, size-1)
				require.ErrorIs(t, err, objectdb.ErrTooLarge)
			}
			n++
		}
		require.Greater(t, n, 50)
		missing, err := objectdb.ParseID(strings.Repeat("12", 20))
		require.NoError(t, err)
		_, _, err = db.Read(missing, 100)
		require.ErrorIs(t, err, objectdb.ErrMissing)
		_, err = db.Size(missing)
		require.ErrorIs(t, err, objectdb.ErrMissing)
		require.NoError(t, db.Close())
	}
}

// spoiled opens a repository whose pack or index has other bytes, and reads
// all of it: whatever they are, it must end without a crash, and must never
// give a content that does not belong to its id.
func spoiled(t require.TestingT, dir string, ids []objectdb.ID, pack, index []byte) {
	stem := filepath.Join(dir, "pack", "pack-x")
	require.NoError(t, os.MkdirAll(filepath.Dir(stem), 0o755))
	require.NoError(t, os.WriteFile(stem+".pack", pack, 0o644))
	require.NoError(t, os.WriteFile(stem+".idx", index, 0o644))
	db := objectdb.Open(dir)
	defer db.Close()
	for _, id := range ids {
		if kind, content, err := db.Read(id, 1<<20); err == nil {
			require.Equal(t, id, objectdb.Hash(len(id), kind, content))
		}
		_, _ = db.Size(id)
	}
}

// small is a repository with deltas of both sorts of base.
func small(t testing.TB, offsets bool) (ids []objectdb.ID, pack, index []byte) {
	dir := t.TempDir()
	git := func(args ...string) string { return clonetest.Git(t, dir, clonetest.Time, args...) }
	git("init", "-q", "-b", "main")
	for i := range 4 {
		text := strings.Repeat("a line that stays the same\n", 20) + strings.Repeat("more\n", i)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.txt"), []byte(text), 0o644))
		git("add", ".")
		git("commit", "-q", "-m", "x")
	}
	if offsets {
		git("repack", "-adfq")
	} else {
		git("-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq")
	}
	for line := range strings.Lines(git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")) {
		id, err := objectdb.ParseID(strings.TrimSpace(line))
		require.NoError(t, err)
		ids = append(ids, id)
	}
	read := func(glob string) []byte {
		files, err := filepath.Glob(filepath.Join(dir, ".git/objects/pack", glob))
		require.NoError(t, err)
		require.Len(t, files, 1)
		b, err := os.ReadFile(files[0])
		require.NoError(t, err)
		return b
	}
	return ids, read("*.pack"), read("*.idx")
}

func TestSpoiledPacks(t *testing.T) {
	t.Parallel()
	for _, offsets := range []bool{true, false} {
		ids, pack, index := small(t, offsets)
		dir := t.TempDir()
		rapid.Check(t, func(t *rapid.T) {
			p, x := bytes.Clone(pack), bytes.Clone(index)
			for range rapid.IntRange(1, 8).Draw(t, "changes") {
				b := p
				if rapid.Bool().Draw(t, "in the index") {
					b = x
				}
				b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "to")
			}
			if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
				p = p[:rapid.IntRange(0, len(p)).Draw(t, "pack")]
				x = x[:rapid.IntRange(0, len(x)).Draw(t, "index")]
			}
			spoiled(t, dir, ids, p, x)
		})
	}
}

func FuzzPack(f *testing.F) {
	ids, pack, index := small(f, true)
	f.Add(pack, index)
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01"), index)
	f.Fuzz(func(t *testing.T, pack, index []byte) {
		spoiled(t, t.TempDir(), ids, pack, index)
	})
}

func FuzzLoose(f *testing.F) {
	id, err := objectdb.ParseID(strings.Repeat("ab", 20))
	require.NoError(f, err)
	f.Add([]byte("x\x9cK\xca\xc9OR0dH\xe4\x02\x00\x11I\x02\xc9"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "ab"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "ab", strings.Repeat("ab", 19)), b, 0o644))
		db := objectdb.Open(dir)
		defer db.Close()
		if _, _, err := db.Read(id, 1<<20); err == nil {
			t.Fatal("nothing has this id")
		}
		_, _ = db.Size(id)
	})
}
