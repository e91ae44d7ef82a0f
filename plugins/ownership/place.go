package ownership

import (
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// place is the folder of a repository in which the code of an entity is.
type place struct {
	plugins.Repository
	Folder string // without slashes around it; "" for all of the repository
}

// placeOf finds the place of an entity: what backstage.io/source-location says,
// or else the folder of its catalog file. It tells false for an entity of no
// repository, and for one whose code is in another repository than its file,
// since the catalog says nothing of that one.
func placeOf(v plugins.View, e *catalog.Entity) (place, bool) {
	r, ok := v.Repository(e)
	if !ok {
		return place{}, false
	}
	at := place{Repository: r, Folder: cleanFolder(path.Dir(e.Origin.Path))}
	for _, key := range []string{"backstage.io/source-location", "backstage.io/managed-by-location"} {
		address, isURL := strings.CutPrefix(e.Annotation(key), "url:")
		if !isURL {
			continue
		}
		folder, here := folderOf(r, address)
		if here {
			at.Folder = folder
			return at, true
		}
		if key == "backstage.io/source-location" {
			return place{}, false
		}
	}
	return at, true
}

// folderOf finds the folder of a repository that an address leads to, as GitHub
// and GitLab write it. It tells false if the address leads elsewhere.
func folderOf(r plugins.Repository, address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	if own, err := url.Parse(r.URL); err == nil && own.Host != "" && !strings.EqualFold(own.Host, u.Host) {
		return "", false
	}
	rest := strings.Trim(u.Path, "/")
	if len(rest) < len(r.Name) || !strings.EqualFold(rest[:len(r.Name)], r.Name) {
		return "", false
	}
	rest = strings.TrimSuffix(rest[len(r.Name):], ".git")
	if rest == "" {
		return "", true
	}
	if rest[0] != '/' {
		return "", false
	}
	rest = strings.TrimPrefix(rest[1:], "-/")
	view, rest, _ := strings.Cut(rest, "/")
	if view != "tree" && view != "blob" && view != "edit" {
		return "", true
	}
	if r.Branch != "" && (rest == r.Branch || strings.HasPrefix(rest, r.Branch+"/")) {
		rest = rest[len(r.Branch):]
	} else {
		_, rest, _ = strings.Cut(rest, "/")
	}
	if view != "tree" {
		rest = path.Dir("/" + rest)
	}
	return cleanFolder(rest), true
}

// cleanFolder is a folder without dots and slashes around it.
func cleanFolder(folder string) string {
	return strings.Trim(path.Clean("/"+folder), "/")
}

// in is evidence at a file of the repository.
func (p place) in(file string, line int, e catalog.Evidence) catalog.Evidence {
	e.Repository, e.Path, e.Line, e.Commit = p.Name, file, line, p.Commit
	if p.URL != "" && p.Commit != "" && file != "" {
		e.URL = p.URL + "/blob/" + p.Commit + "/" + (&url.URL{Path: file}).EscapedPath()
		if line > 0 {
			e.URL += "#L" + strconv.Itoa(line)
		}
	}
	return e
}

// about is evidence about the repository as a whole.
func (p place) about(e catalog.Evidence) catalog.Evidence {
	e.Repository, e.Commit, e.URL = p.Name, p.Commit, p.URL
	return e
}
