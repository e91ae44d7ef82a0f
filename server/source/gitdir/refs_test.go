package gitdir

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]origin{
		"https://github.com/acme/shop.git":                {"acme", "shop", "https://github.com/acme/shop"},
		"https://github.com/acme/shop":                    {"acme", "shop", "https://github.com/acme/shop"},
		"https://GitHub.com/acme/shop/":                   {"acme", "shop", "https://github.com/acme/shop"},
		"https://me:ghp_secret@github.com/acme/shop.git":  {"acme", "shop", "https://github.com/acme/shop"},
		"https://x-access-token@github.com/acme/shop.git": {"acme", "shop", "https://github.com/acme/shop"},
		"git@github.com:acme/shop.git":                    {"acme", "shop", "https://github.com/acme/shop"},
		"github.com:acme/shop.git":                        {"acme", "shop", "https://github.com/acme/shop"},
		"git@github.com:/acme/shop.git":                   {"acme", "shop", "https://github.com/acme/shop"},
		"ssh://git@github.com/acme/shop.git":              {"acme", "shop", "https://github.com/acme/shop"},
		"ssh://git@ssh.github.com:443/acme/shop.git":      {"acme", "shop", "https://github.com/acme/shop"},
		"git://github.com/acme/shop.git":                  {"acme", "shop", "https://github.com/acme/shop"},
		"https://ghe.acme.example:8443/acme/shop.git":     {"acme", "shop", "https://ghe.acme.example:8443/acme/shop"},
		"http://localhost:3000/acme/shop.git":             {"acme", "shop", "http://localhost:3000/acme/shop"},
		"https://gitlab.com/acme/web/shop.git":            {"acme/web", "shop", "https://gitlab.com/acme/web/shop"},
		"https://github.com/acme/a%20b.git":               {"acme", "a b", "https://github.com/acme/a%20b"},
	} {
		got, ok := parseOrigin(remote)
		require.True(t, ok, remote)
		require.Equal(t, want, got, remote)
	}
	for _, remote := range []string{
		"", "/srv/git/shop.git", "../shop", "./a:b/c", `C:\git\shop`, "C:/git/shop", "file:///srv/git/shop.git", "https://github.com/shop",
		"https://github.com/", "https://github.com/../shop", "git@github.com:shop", "ext::sh -c x", "ext::x", "https://github.com/a//b",
		"https://github.com/acme/.git", "https://%zz/a/b", "data:text/a/b", strings.Repeat("x", 5000) + ":a/b", "git@host:a/b\nc",
	} {
		got, ok := parseOrigin(remote)
		if remote == "data:text/a/b" { // as scp has it: a host called data
			continue
		}
		require.False(t, ok, "%.50s: %+v", remote, got)
	}
}

func FuzzParseOrigin(f *testing.F) {
	for _, s := range []string{"https://u:p@h/a/b.git", "git@h:a/b", "ssh://h:22/a/b/", "h:/../b", "https://h/%2e%2e/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := parseOrigin(s)
		if !ok {
			return
		}
		if o.owner == "" || o.name == "" || !strings.HasPrefix(o.url, "http") || strings.Contains(o.name, "/") || strings.Contains(o.url, "@") && !strings.Contains(strings.SplitN(o.url, "/", 4)[3], "@") {
			t.Fatalf("%q: %+v", s, o)
		}
		if full := o.owner + "/" + o.name; path.Clean(full) != full {
			t.Fatalf("%q: %q", s, full)
		}
	})
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]config{
		"[remote \"origin\"]\n\turl = https://github.com/a/b\n\turl = second\n":                   {origin: "https://github.com/a/b"},
		"# x\n[core]\n\turl = no\n[remote \"other\"]\nurl=no\n[REMOTE \"origin\"]\n  URL=\"yes\"": {origin: "yes"},
		"[remote \"origin\"]\nurl = a\npromisor = true\n[extensions]\nrefStorage = reftable\n":    {origin: "a", refs: "reftable", partial: true},
		"[extensions]\n\tpartialClone = origin\n\trefstorage = files\n":                           {partial: true},
		"":                             {},
		"\x00\xff[[[\n=\n]=[\nurl = x": {},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o644))
		got, err := gitDir{dir, dir}.config()
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
}

func FuzzValidRef(f *testing.F) {
	for _, s := range []string{"HEAD", "refs/heads/main", "refs/heads/../x", "refs//x", "refs/heads/a.lock/b", "/etc/passwd", `refs\..\x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		if !validRef(ref) {
			return
		}
		if clean := path.Clean(ref); clean != ref || path.IsAbs(ref) || ref != "HEAD" && !strings.HasPrefix(clean, "refs/") {
			t.Fatalf("%q would leave the folder", ref)
		}
	})
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("100644 a\x0012345678901234567890"), 20)
	f.Add([]byte("40000 ..\x001234567890123456789040000 .git\x0012345678901234567890"), 20)
	f.Add([]byte("120000 a/b\x0012345678901234567890123456789012"), 32)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		if size != 20 && size != 32 {
			return
		}
		entries, _, err := parseTree(b, size)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00") || len(e.id) != size {
				t.Fatalf("%+v", e)
			}
		}
	})
}
