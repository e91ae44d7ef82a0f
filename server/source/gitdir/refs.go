package gitdir

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/waypost-dev/waypost/server/source/gitdir/objectdb"
)

// gitDir is where a repository keeps itself.
type gitDir struct {
	dir    string // HEAD stands here
	common string // objects, refs and config stand here: dir, but for a linked worktree
}

const (
	maxRefFile    = 4 << 10
	maxConfigFile = 1 << 20
	maxSymrefs    = 5 // in a row, as git's
)

// errNoRepository says that a folder is not a git repository.
var errNoRepository = errors.New("not a git repository")

// head is what HEAD, or the configured branch, points to.
type head struct {
	branch string      // without refs/heads/; the commit if HEAD is detached
	commit objectdb.ID // empty if the branch has no commit
}

// openClone looks for a repository at path: .git as a folder, .git as a file
// that names one, or a bare repository.
func openClone(path string) (gitDir, error) {
	dot := filepath.Join(path, ".git")
	st, err := os.Lstat(dot)
	switch {
	case err == nil && st.IsDir():
		return gitDir{dot, dot}, nil
	case err == nil && st.Mode().IsRegular():
		return openGitFile(path, dot)
	case err == nil:
		return gitDir{}, fmt.Errorf("%s is neither a folder nor a file", dot)
	case !errors.Is(err, fs.ErrNotExist):
		return gitDir{}, err
	}
	for _, name := range []string{"HEAD", "objects", "refs"} {
		st, err := os.Lstat(filepath.Join(path, name))
		if errors.Is(err, fs.ErrNotExist) {
			return gitDir{}, errNoRepository
		}
		if err != nil {
			return gitDir{}, err
		}
		if st.IsDir() != (name != "HEAD") {
			return gitDir{}, errNoRepository
		}
	}
	return gitDir{path, path}, nil
}

func openGitFile(path, file string) (gitDir, error) {
	b, err := objectdb.ReadFile(file, maxRefFile)
	if err != nil {
		return gitDir{}, err
	}
	target, ok := strings.CutPrefix(strings.TrimSpace(string(b)), "gitdir:")
	target = strings.TrimSpace(target)
	if !ok || target == "" || strings.ContainsRune(target, 0) {
		return gitDir{}, fmt.Errorf("%s does not say gitdir: PATH", file)
	}
	g := gitDir{dir: below(path, target)}
	g.common = g.dir
	b, err = objectdb.ReadFile(filepath.Join(g.dir, "commondir"), maxRefFile)
	if err == nil {
		g.common = below(g.dir, strings.TrimSpace(string(b)))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return gitDir{}, err
	}
	return g, nil
}

func below(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// head resolves HEAD, or branch if it is not empty: first as a local branch,
// then as a branch of origin.
func (g gitDir) head(branch string) (head, error) {
	if branch != "" {
		for _, ref := range []string{"refs/heads/" + branch, "refs/remotes/origin/" + branch} {
			_, id, err := g.resolve(ref)
			if err != nil || id != "" {
				return head{branch, id}, err
			}
		}
		return head{branch: branch}, nil
	}
	ref, id, err := g.resolve("HEAD")
	if err != nil {
		return head{}, err
	}
	if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
		return head{name, id}, nil
	}
	return head{id.String(), id}, nil // detached
}

// resolve follows a ref to its commit. The name returned is that of the last
// ref in the chain. The id is empty if there is no such ref.
func (g gitDir) resolve(ref string) (string, objectdb.ID, error) {
	for range maxSymrefs {
		if !validRef(ref) {
			return "", "", fmt.Errorf("%.80q is no name of a ref", ref)
		}
		dir := g.common
		if ref == "HEAD" {
			dir = g.dir
		}
		b, err := objectdb.ReadFile(filepath.Join(dir, filepath.FromSlash(ref)), maxRefFile)
		if err != nil && ref == "HEAD" {
			return "", "", fmt.Errorf("read HEAD: %w", err)
		}
		if err != nil { // a folder of that name is no reason not to be packed
			id, perr := g.packedRef(ref)
			if perr != nil {
				return "", "", perr
			}
			if id == "" && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errors.ErrUnsupported) {
				return "", "", fmt.Errorf("read ref %s: %w", ref, err)
			}
			return ref, id, nil
		}
		s := strings.TrimSpace(string(b))
		if target, ok := strings.CutPrefix(s, "ref:"); ok {
			ref = strings.TrimSpace(target)
			continue
		}
		id, err := objectdb.ParseID(s)
		if err != nil {
			return "", "", fmt.Errorf("ref %s: %w", ref, err)
		}
		return ref, id, nil
	}
	return "", "", fmt.Errorf("refs point to each other more than %d times", maxSymrefs)
}

// validRef tells whether a ref can be joined to a path: git's own rules are
// stricter (git-check-ref-format(1)), these are the ones that keep it inside.
func validRef(ref string) bool {
	if ref == "HEAD" {
		return true
	}
	if !strings.HasPrefix(ref, "refs/") || len(ref) > 1024 || strings.ContainsAny(ref, "\x00\\\n\r:") {
		return false
	}
	for part := range strings.SplitSeq(ref, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}

// packedRef looks a ref up in packed-refs, a line "id name" each, without
// taking the file into memory: mirrors of busy repositories have very long ones.
func (g gitDir) packedRef(ref string) (objectdb.ID, error) {
	path := filepath.Join(g.common, "packed-refs")
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read packed-refs: %w", err)
	}
	if !st.Mode().IsRegular() {
		return "", fmt.Errorf("packed-refs is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read packed-refs: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(make([]byte, 0, int(min(st.Size()+1, 64<<10))), 64<<10)
	suffix := []byte(" " + ref)
	for lines.Scan() {
		if line := lines.Bytes(); bytes.HasSuffix(line, suffix) && line[0] != '#' {
			return objectdb.ParseID(string(line[:len(line)-len(suffix)]))
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read packed-refs: %w", err)
	}
	return "", nil
}

// config is what matters here of a repository's own configuration.
type config struct {
	origin  string // URL of the remote origin
	refs    string // format of the ref storage, if it is not files
	partial bool   // a partial clone
}

// config reads the configuration file by the syntax of git-config(1), without
// its includes. What it does not understand it passes over.
func (g gitDir) config() (config, error) {
	b, err := objectdb.ReadFile(filepath.Join(g.common, "config"), maxConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, nil
	}
	if err != nil {
		return config{}, fmt.Errorf("read config: %w", err)
	}
	var c config
	section := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			section = strings.Join(strings.Fields(strings.Trim(line, "[]")), " ")
			if name, sub, ok := strings.Cut(section, " "); ok {
				section = strings.ToLower(name) + " " + sub
			} else {
				section = strings.ToLower(section)
			}
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.Trim(strings.TrimSpace(value), `"`)
		switch {
		case section == `remote "origin"` && key == "url" && c.origin == "":
			c.origin = value
		case section == "extensions" && key == "refstorage" && value != "files":
			c.refs = value
		case key == "promisor" && value == "true", section == "extensions" && key == "partialclone":
			c.partial = true
		}
	}
	return c, nil
}
