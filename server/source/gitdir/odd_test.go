package gitdir_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/gitdir/clonetest"
	"github.com/waypost-dev/waypost/server/source/sourcetest"
)

var info = clonetest.File{Path: "catalog-info.yaml", Content: sourcetest.Document("x")}

func harvest(t *testing.T, l *sourcetest.Ledger, o gitdir.Options) *sourcetest.Report {
	t.Helper()
	s, err := gitdir.New(o)
	require.NoError(t, err)
	report, err := l.Harvest(t.Context(), t, s)
	require.NoError(t, err)
	return report
}

// single is the one repository of a folder.
func single(t *testing.T, l *sourcetest.Ledger) sourcetest.Entry {
	t.Helper()
	require.Len(t, l.Repositories, 1)
	for _, e := range l.Repositories {
		return e
	}
	panic("unreachable")
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// gitRepo makes a repository with git, of one commit for each set of files.
func gitRepo(t *testing.T, dir string, commits ...map[string]string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o755))
	clonetest.Git(t, dir, clonetest.Time, "init", "-q", "-b", "main")
	for i, files := range commits {
		for name, content := range files {
			write(t, filepath.Join(dir, name), content)
		}
		clonetest.Git(t, dir, clonetest.Time, "add", "--all")
		clonetest.Git(t, dir, clonetest.Time.Add(time.Duration(i)*time.Hour), "commit", "-q", "-m", "x")
	}
	return dir
}

func TestOnePathIsOneRepositoryOrMany(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	dir := filepath.Join(root, "forge")
	clonetest.Write(t, filepath.Join(dir, "one"), clonetest.Repository{Files: []clonetest.File{info}})
	clonetest.Write(t, filepath.Join(dir, "bare.git"), clonetest.Repository{Bare: true, Files: []clonetest.File{info}})
	clonetest.Write(t, filepath.Join(dir, "acme", "two"), clonetest.Repository{Files: []clonetest.File{info}})
	clonetest.Write(t, filepath.Join(dir, "acme", "shop.git"), clonetest.Repository{Bare: true, Files: []clonetest.File{info}, Origin: "git@github.com:Acme/Shop.git"})
	clonetest.Write(t, filepath.Join(dir, "acme", "deep", "three"), clonetest.Repository{Files: []clonetest.File{info}})
	write(t, filepath.Join(dir, "notes", "readme.txt"), "no repository")
	write(t, filepath.Join(dir, "catalog-info.yaml"), "not in any repository")

	var l sourcetest.Ledger
	harvest(t, &l, gitdir.Options{Path: dir})
	got := map[string]string{}
	for id, e := range l.Repositories {
		got[id] = e.FullName() + " " + e.URL
		require.Len(t, e.Documents, 1)
		require.Equal(t, "main", e.Branch)
		require.Equal(t, clonetest.Time, e.PushedAt)
	}
	require.Equal(t, map[string]string{
		"one": "forge/one ", "bare.git": "forge/bare ", "acme/two": "acme/two ",
		"acme/shop.git": "Acme/Shop https://github.com/Acme/Shop",
	}, got)

	l = sourcetest.Ledger{}
	harvest(t, &l, gitdir.Options{Path: dir, Owner: "us", Include: []string{"us/*", "*/Shop"}, Exclude: []string{"t*"}})
	require.Equal(t, []string{"Shop", "bare", "one"}, l.Names())

	for _, clone := range []string{"one", "bare.git"} {
		l = sourcetest.Ledger{}
		harvest(t, &l, gitdir.Options{Path: filepath.Join(dir, clone)})
		e := single(t, &l)
		require.Equal(t, ".", e.ID)
		require.Equal(t, "forge/"+strings.TrimSuffix(clone, ".git"), e.FullName())
		require.Len(t, harvest(t, &l, gitdir.Options{Path: filepath.Join(dir, clone)}).Unchanged, 1)
	}
}

func TestStateDiffersWithWhatIsReported(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "r")
	gitRepo(t, dir, map[string]string{"catalog-info.yaml": "a: 1\n"})
	clonetest.Git(t, dir, clonetest.Time, "branch", "other")
	states := map[string]string{}
	add := func(what string, o gitdir.Options) {
		o.Path = dir
		var l sourcetest.Ledger
		harvest(t, &l, o)
		state := single(t, &l).State
		require.Empty(t, states[state], "%s has the state of %s", what, states[state])
		states[state] = what
		require.Len(t, harvest(t, &l, o).Unchanged, 1, what)
	}
	add("plain", gitdir.Options{})
	add("patterns", gitdir.Options{Patterns: []string{"*.yaml"}})
	add("branch", gitdir.Options{Branch: "other"})
	add("owner", gitdir.Options{Owner: "us"})
	clonetest.Git(t, dir, clonetest.Time, "remote", "add", "origin", "https://github.com/acme/r")
	add("remote", gitdir.Options{})
	clonetest.Git(t, dir, clonetest.Time, "checkout", "-q", "-b", "third")
	add("head", gitdir.Options{})
	clonetest.Git(t, dir, clonetest.Time, "commit", "-q", "--allow-empty", "-m", "x")
	add("commit", gitdir.Options{})
	clonetest.Git(t, dir, clonetest.Time, "checkout", "-q", "--detach")
	add("detached", gitdir.Options{})
}

func TestRefsWhereverTheyStand(t *testing.T) {
	t.Parallel()
	up := gitRepo(t, filepath.Join(t.TempDir(), "up"), map[string]string{"catalog-info.yaml": "a: 1\n"})
	clonetest.Git(t, up, clonetest.Time, "branch", "feature/x")
	want := strings.TrimSpace(clonetest.Git(t, up, clonetest.Time, "rev-parse", "HEAD"))
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", up, "clone")
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", "--mirror", up, "mirror.git")
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", up, "packed")
	clonetest.Git(t, in("packed"), clonetest.Time, "pack-refs", "--all")
	require.NoFileExists(t, in("packed/.git/refs/heads/main"))
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", "-s", up, "borrowed") // objects in alternates
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", "--depth=1", "file://"+up, "shallow")
	clonetest.Git(t, in("clone"), clonetest.Time, "worktree", "add", "-q", "../worktree", "origin/feature/x")
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", "--separate-git-dir", filepath.Join(t.TempDir(), "away"), up, "separate")

	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: dir})
	require.Empty(t, report.Kept)
	require.Equal(t, []string{"borrowed", "clone", "mirror", "packed", "separate", "shallow", "worktree"}, l.Names())
	for id, e := range l.Repositories {
		require.Equal(t, want, e.Commit, id)
		require.Equal(t, "a: 1\n", string(e.Contents["catalog-info.yaml"]), id)
		if id == "worktree" {
			require.Equal(t, want, e.Branch, "HEAD is detached there")
		} else {
			require.Equal(t, "main", e.Branch, id)
		}
	}

	l = sourcetest.Ledger{}
	harvest(t, &l, gitdir.Options{Path: dir, Branch: "feature/x"})
	for id, e := range l.Repositories {
		if id == "shallow" { // has but one branch
			require.Empty(t, e.Commit)
			require.Len(t, e.Problems, 1)
			require.Contains(t, e.Problems[0].Message, `no branch "feature/x"`)
			continue
		}
		require.Equal(t, want, e.Commit, id)
		require.Equal(t, "feature/x", e.Branch)
	}
}

// TestDeltas holds what is read of a repository with long chains of deltas
// against git itself.
func TestDeltas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "r")
	var commits []map[string]string
	for i := range 40 {
		var text strings.Builder
		for line := range 400 {
			n := line
			if line%40 == i {
				n += 1000 * i
			}
			text.WriteString(strings.Repeat("line ", n%7) + "of version " + time.Duration(n).String() + "\n")
		}
		commits = append(commits, map[string]string{
			"catalog/a.yaml": text.String(), "catalog/" + string(rune('b'+i%20)) + ".yaml": text.String() + "tail\n",
			"src/main.go": "package main // " + text.String(), "src/lib.rs": text.String(),
		})
	}
	gitRepo(t, dir, commits...)
	for _, prepare := range [][]string{
		{"repack", "-adfq", "--depth=50", "--window=50"},
		{"-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq", "--depth=200"},
		{"-c", "pack.packSizeLimit=1m", "repack", "-adfq"},
		{"multi-pack-index", "write"},
	} {
		clonetest.Git(t, dir, clonetest.Time, prepare...)
		var l sourcetest.Ledger
		harvest(t, &l, gitdir.Options{Path: dir, Patterns: []string{"catalog/*"}})
		e := single(t, &l)
		require.Len(t, e.Documents, 21)
		for path, content := range e.Contents {
			require.True(t, clonetest.Git(t, dir, clonetest.Time, "cat-file", "blob", "HEAD:"+path) == string(content), "%s after git %v", path, prepare)
		}
		require.Len(t, e.Languages, 2)
		for _, lang := range e.Languages {
			file := map[string]string{"Go": "src/main.go", "Rust": "src/lib.rs"}[lang.Name]
			require.EqualValues(t, len(clonetest.Git(t, dir, clonetest.Time, "cat-file", "blob", "HEAD:"+file)), lang.Bytes)
		}
		require.Equal(t, clonetest.Time.Add(39*time.Hour), e.PushedAt)
	}
}

func TestLinksFilesAndSubmodules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	clonetest.Write(t, dir, clonetest.Repository{Files: []clonetest.File{
		{Path: "real/info.yaml", Content: "real: 1\n"},
		{Path: "link.yaml", Content: "real/info.yaml", Mode: "120000"},
		{Path: "twice.yaml", Content: "link.yaml", Mode: "120000"},
		{Path: "through.yaml", Content: "folder/info.yaml", Mode: "120000"},
		{Path: "folder", Content: "real", Mode: "120000"},
		{Path: "sub/up.yaml", Content: "../real/../real/info.yaml", Mode: "120000"},
		{Path: "out.yaml", Content: "../../etc/hostname", Mode: "120000"},
		{Path: "abs.yaml", Content: "/etc/hostname", Mode: "120000"},
		{Path: "self.yaml", Content: "self.yaml", Mode: "120000"},
		{Path: "gone.yaml", Content: "nowhere.yaml", Mode: "120000"},
		{Path: "dir.yaml", Content: "real", Mode: "120000"},
		{Path: "lfs.yaml", Content: pointer},
		{Path: "module.yaml", Content: "x", Mode: "160000"},
		{Path: "run.yaml", Content: "run: 1\n", Mode: "100755"},
		{Path: ".github/CODEOWNERS", Content: "../owners.txt", Mode: "120000"},
		{Path: "owners.txt", Content: "* @acme/all\n"},
	}})
	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: dir, Patterns: []string{"*.yaml", "sub/*.yaml"}})
	e := single(t, &l)
	for _, path := range []string{"link.yaml", "twice.yaml", "through.yaml", "sub/up.yaml"} {
		require.Equal(t, "real: 1\n", string(e.Contents[path]), path)
	}
	require.Equal(t, "run: 1\n", string(e.Contents["run.yaml"]))
	require.Equal(t, "* @acme/all\n", string(e.Codeowners.Content))
	problems := map[string]catalog.Problem{}
	for _, d := range report.Repositories["."].Documents {
		if d.Problem != nil {
			problems[d.Path] = *d.Problem
		}
	}
	for path, want := range map[string]string{
		"out.yaml": "leads out of the repository", "abs.yaml": "leads out of the repository", "self.yaml": "without end",
		"gone.yaml": "no such file", "lfs.yaml": "Git LFS",
	} {
		require.Contains(t, problems[path].Message, want, path)
		require.NotContains(t, e.Contents, path)
		delete(problems, path)
	}
	require.Empty(t, problems)
	require.NotContains(t, e.Contents, "dir.yaml")
	require.NotContains(t, e.Contents, "module.yaml")
	require.Contains(t, e.Root, "module.yaml")

	report = harvest(t, &l, gitdir.Options{Path: dir, Patterns: []string{"*.yaml", "sub/*.yaml"}})
	require.Len(t, report.Repositories, 1, "what was unreadable is tried again")
}

func TestBrokenRepositoriesAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kind := map[string]func(git string){
		"no-objects":   func(git string) { must(t, os.RemoveAll(git+"/objects")); must(t, os.Mkdir(git+"/objects", 0o755)) },
		"cut-pack":     func(git string) { cut(t, git+"/objects/pack/*.pack", 40) },
		"cut-index":    func(git string) { cut(t, git+"/objects/pack/*.idx", 500) },
		"empty-pack":   func(git string) { cut(t, git+"/objects/pack/*.pack", 0) },
		"no-pack":      func(git string) { must(t, os.Remove(only(t, git+"/objects/pack/*.pack"))) },
		"flipped-pack": func(git string) { flip(t, only(t, git+"/objects/pack/*.pack")) },
		"head-empty":   func(git string) { write(t, git+"/HEAD", "") },
		"head-noise":   func(git string) { write(t, git+"/HEAD", strings.Repeat("\x00\xff", 900)) },
		"head-large":   func(git string) { write(t, git+"/HEAD", strings.Repeat("a", 1<<20)) },
		"head-out":     func(git string) { write(t, git+"/HEAD", "ref: ../../../../etc/passwd\n") },
		"head-out2":    func(git string) { write(t, git+"/HEAD", "ref: refs/heads/../../../../../etc/passwd\n") },
		"head-circle": func(git string) {
			write(t, git+"/HEAD", "ref: refs/heads/main\n")
			write(t, git+"/refs/heads/main", "ref: refs/heads/main\n")
		},
		"head-pipe":   func(git string) { must(t, os.Remove(git+"/HEAD")); must(t, syscall.Mkfifo(git+"/HEAD", 0o644)) },
		"head-folder": func(git string) { must(t, os.Remove(git+"/HEAD")); must(t, os.Mkdir(git+"/HEAD", 0o755)) },
		"ref-noise":   func(git string) { write(t, git+"/refs/heads/main", "not an id") },
		"ref-zero":    func(git string) { write(t, git+"/refs/heads/main", strings.Repeat("0", 40)) },
		"ref-absent":  func(git string) { write(t, git+"/refs/heads/main", strings.Repeat("ab", 20)) },
		"config-pipe": func(git string) { must(t, os.Remove(git+"/config")); must(t, syscall.Mkfifo(git+"/config", 0o644)) },
		"reftable":    func(git string) { write(t, git+"/config", "[extensions]\n\trefStorage = reftable\n") },
		"alternates": func(git string) {
			write(t, git+"/objects/info/alternates", "../objects\n")
			must(t, os.RemoveAll(git+"/objects/pack"))
		},
	}
	gitfiles := map[string]string{
		"gitfile-noise": "\x00\x01\x02", "gitfile-away": "gitdir: /nonexistent/away\n", "gitfile-nul": "gitdir: a\x00b\n", "gitfile-device": "gitdir: /dev/zero\n",
	}
	var names []string
	for name := range kind {
		names = append(names, name)
		clonetest.Write(t, filepath.Join(dir, name), clonetest.Repository{Files: []clonetest.File{info}})
	}
	for name := range gitfiles {
		names = append(names, name)
		clonetest.Write(t, filepath.Join(dir, name), clonetest.Repository{Files: []clonetest.File{info}})
	}
	clonetest.Write(t, filepath.Join(dir, "sound"), clonetest.Repository{Files: []clonetest.File{info}})
	slices.Sort(names)

	var l sourcetest.Ledger
	harvest(t, &l, gitdir.Options{Path: dir})
	require.Len(t, l.Repositories, len(names)+1)
	for name, spoil := range kind {
		spoil(filepath.Join(dir, name, ".git"))
	}
	for name, content := range gitfiles {
		must(t, os.RemoveAll(filepath.Join(dir, name, ".git")))
		write(t, filepath.Join(dir, name, ".git"), content)
	}
	before := l.Repositories
	for id, e := range before { // as if nothing were known of their state
		e.State = ""
		before[id] = e
	}
	report := harvest(t, &l, gitdir.Options{Path: dir})
	var kept []string
	for id, p := range report.Kept {
		kept = append(kept, id)
		require.Less(t, len(p.Message), 600, id)
		require.NotContains(t, p.Message, "root:", "no foreign file is shown")
	}
	slices.Sort(kept)
	require.Equal(t, names, kept)
	require.Len(t, l.Repositories, len(names)+1)
	for id, e := range l.Repositories {
		require.Equal(t, info.Content, string(e.Contents["catalog-info.yaml"]), "%s: the last good state stays", id)
	}
}

func must(t *testing.T, err error) { t.Helper(); require.NoError(t, err) }

func only(t *testing.T, glob string) string {
	files, err := filepath.Glob(glob)
	require.NoError(t, err)
	require.Len(t, files, 1)
	return files[0]
}

func cut(t *testing.T, glob string, size int64) {
	must(t, os.Chmod(only(t, glob), 0o644))
	must(t, os.Truncate(only(t, glob), size))
}

// flip spoils the content of every object in a pack.
func flip(t *testing.T, path string) {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := 14; i < len(b)-20; i++ {
		b[i] ^= 0x55
	}
	must(t, os.Chmod(path, 0o644))
	must(t, os.WriteFile(path, b, 0o644))
}

func TestPartialClone(t *testing.T) {
	t.Parallel()
	up := gitRepo(t, filepath.Join(t.TempDir(), "up"), map[string]string{"catalog-info.yaml": "a: 1\n", "main.go": "package main\n"})
	clonetest.Git(t, up, clonetest.Time, "config", "uploadpack.allowFilter", "true")
	dir := t.TempDir()
	clonetest.Git(t, dir, clonetest.Time, "clone", "-q", "--bare", "--filter=blob:none", "file://"+up, "r.git")
	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: dir})
	repo := report.Repositories["r.git"]
	require.Len(t, repo.Documents, 1)
	require.NotNil(t, repo.Documents[0].Problem)
	require.Contains(t, repo.Documents[0].Problem.Hint, "partial")
	require.Len(t, repo.Problems, 1, "languages are incomplete: %v", repo.Problems)
}

func TestEmptyRepositories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clonetest.Git(t, dir, clonetest.Time, "init", "-q", "-b", "trunk", "plain")
	clonetest.Git(t, dir, clonetest.Time, "init", "-q", "--bare", "bare.git")
	clonetest.Write(t, filepath.Join(dir, "written"), clonetest.Repository{})
	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: dir})
	require.Empty(t, report.Kept)
	require.Equal(t, []string{"bare", "plain", "written"}, l.Names())
	for _, e := range l.Repositories {
		require.Empty(t, e.Commit)
		require.Empty(t, e.Problems)
	}
	e, _ := l.Named("plain")
	require.Equal(t, "trunk", e.Branch)
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clonetest.Git(t, dir, clonetest.Time, "init", "-q", "-b", "main", "--object-format=sha256")
	write(t, filepath.Join(dir, "catalog-info.yaml"), "a: 1\n")
	clonetest.Git(t, dir, clonetest.Time, "add", ".")
	clonetest.Git(t, dir, clonetest.Time, "commit", "-q", "-m", "x")
	for range 2 {
		s, err := gitdir.New(gitdir.Options{Path: dir})
		require.NoError(t, err)
		m := &memory{states: map[string]source.RepositoryState{}}
		require.NoError(t, s.Harvest(t.Context(), knownStates(nil), m))
		require.Equal(t, 1, m.documents)
		require.Equal(t, int64(5), m.bytes)
		clonetest.Git(t, dir, clonetest.Time, "gc", "-q")
	}
}

// TestNothingIsRun puts commands wherever a configuration can name one.
func TestNothingIsRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trap := filepath.Join(t.TempDir(), "sprung")
	script := filepath.Join(t.TempDir(), "trap.sh")
	write(t, script, "#!/bin/sh\ntouch "+trap+"\n")
	must(t, os.Chmod(script, 0o755))
	clonetest.Write(t, dir, clonetest.Repository{Files: []clonetest.File{info, {Path: ".gitattributes", Content: "* filter=evil diff=evil\n"}}})
	config := "[core]\n\tfsmonitor = " + script + "\n\tpager = " + script + "\n\tsshCommand = " + script + "\n\thooksPath = " + filepath.Dir(script) +
		"\n\talternateRefsCommand = " + script + "\n[filter \"evil\"]\n\tsmudge = " + script + "\n[diff \"evil\"]\n\ttextconv = " + script +
		"\n[include]\n\tpath = /dev/zero\n[remote \"origin\"]\n\turl = ext::" + script + "\n"
	write(t, filepath.Join(dir, ".git", "config"), config)
	for _, hook := range []string{"post-checkout", "post-index-change", "reference-transaction"} {
		write(t, filepath.Join(dir, ".git", "hooks", hook), "#!/bin/sh\ntouch "+trap+"\n")
		must(t, os.Chmod(filepath.Join(dir, ".git", "hooks", hook), 0o755))
	}
	var l sourcetest.Ledger
	harvest(t, &l, gitdir.Options{Path: dir})
	require.Len(t, single(t, &l).Documents, 1)
	require.Empty(t, single(t, &l).URL)
	require.NoFileExists(t, trap)
}

func TestLinkedFoldersAreNotFollowed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	clonetest.Write(t, filepath.Join(dir, "in", "r"), clonetest.Repository{Files: []clonetest.File{info}})
	must(t, os.Symlink("r", filepath.Join(dir, "in", "again")))
	must(t, os.Symlink("..", filepath.Join(dir, "in", "up")))
	var l sourcetest.Ledger
	report := harvest(t, &l, gitdir.Options{Path: filepath.Join(dir, "in")})
	require.Equal(t, []string{"r"}, l.Names())
	require.Len(t, report.Problems, 2)
	require.Contains(t, report.Problems[0].Message, "symbolic link")
}
