package reach

import (
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// place is where something leads to: a file of the repository, files below a
// folder of it, or an address.
type place struct {
	path string
	glob string // below path; empty for a single file
	page *url.URL
}

// deep tells whether a glob goes further than one folder.
func (p place) deep() bool {
	return strings.Contains(p.glob, "/") || strings.Contains(p.glob, "**") || strings.Contains(p.glob, "{")
}

// resolve says where text leads that stands in the file from of the repository, or
// if page is not nil, in a file from the web.
func (r *walk) resolve(from string, page *url.URL, text string, globs bool) (place, error) {
	if text == "" || len(text) > 4096 || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return place{}, Fail("name a file or an address", "it is no path")
	}
	if page == nil && !strings.Contains(text, "://") {
		folder := folderOf(from)
		if globs {
			folder = escape(folder)
		}
		full := path.Join(folder, text)
		if text[0] == '/' {
			full = strings.TrimPrefix(path.Clean(text), "/")
		}
		return within(full, globs)
	}
	u, err := url.Parse(text)
	if err == nil && page != nil {
		u = page.ResolveReference(u)
	}
	if err == nil {
		u, err = ParseURL(u.String())
	}
	if err != nil {
		return place{}, Fail("write https://HOST/PATH, or a path relative to the file", "%s", err)
	}
	if full, ok := r.own(u); ok {
		return within(full, globs)
	}
	if strings.Contains(u.Path, "*") {
		return place{}, Fail("name each file; wildcards are for files of the same repository", "it holds a wildcard")
	}
	return place{page: u}, nil
}

// escape keeps the wildcards in a folder's name from being meant.
func escape(folder string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`, "]", `\]`, "{", `\{`, "}", `\}`).Replace(folder)
}

// within is a place in the repository.
func within(full string, globs bool) (place, error) {
	if full == ".." || strings.HasPrefix(full, "../") {
		return place{}, Fail("name a file of the same repository, or its address", "it leads out of the repository")
	}
	if full == "." || full == "" {
		return place{}, Fail("name a file", "it is a folder")
	}
	if globs && !IsGlob(full) {
		if plain := path.Clean(Unescape(full)); plain != full {
			return within(plain, false) // a backslash may have hidden dots
		}
	}
	if !globs || !IsGlob(full) {
		return place{path: full}, nil
	}
	if !doublestar.ValidatePattern(full) {
		return place{}, Fail("close every [ and {", "it is no valid glob")
	}
	base, rest := doublestar.SplitPattern(full)
	base = strings.ReplaceAll(base, `\\`, `\`) // which it leaves as it is
	if base == "." {
		base = ""
	}
	return place{path: base, glob: rest}, nil
}

// own tells whether an address is that of a file of the repository on the branch
// that is read, and which.
func (r *walk) own(u *url.URL) (string, bool) {
	repo := r.Repository
	home, err := url.Parse(repo.URL)
	if err != nil || home.Host == "" || u.RawQuery != "" {
		return "", false
	}
	rest := ""
	switch {
	case strings.EqualFold(u.Host, home.Host) && u.Scheme == home.Scheme:
		ok := false
		if rest, ok = cutFold(u.Path, strings.TrimSuffix(home.Path, "/")+"/"); !ok {
			return "", false
		}
		rest = strings.TrimPrefix(rest, "-/") // as GitLab has it
		kind := ""
		kind, rest, _ = strings.Cut(rest, "/")
		if kind != "blob" && kind != "tree" && kind != "raw" {
			return "", false
		}
	case u.Host == "raw.githubusercontent.com" && home.Host == "github.com" && u.Scheme == "https":
		ok := false
		if rest, ok = cutFold(u.Path, strings.TrimSuffix(home.Path, "/")+"/"); !ok {
			return "", false
		}
	default:
		return "", false
	}
	rest = strings.TrimPrefix(rest, "refs/heads/")
	for _, at := range []string{repo.Branch, repo.Commit, "HEAD"} {
		if p, ok := strings.CutPrefix(rest, at+"/"); at != "" && ok {
			return strings.TrimPrefix(path.Clean("/"+p), "/"), true
		}
	}
	return "", false
}

// cutFold is strings.CutPrefix without regard to case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// allowed tells whether an address may be asked for.
func (r *walk) allowed(u *url.URL) error {
	if r.Web == nil {
		return denied(u.Host)
	}
	return r.Web.Check(Address(u))
}
