package exchange

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// Import reads the catalog of a running Backstage.
type Import struct {
	// URL is that of its back end, with or without /api/catalog.
	URL string
	// Token is sent to that host alone; empty for none.
	Token string
	// Copy copies every entity, also those whose files can be read where they are.
	Copy bool
	// Progress is told how many entities were read, of how many; may be nil.
	Progress func(done, total int)
	// Client is http.DefaultClient if it is nil.
	Client *http.Client
}

// Imported is what came of an import.
type Imported struct {
	// Locations are the web addresses from which entities come, and Hosts theirs.
	Locations []string
	Hosts     []string
	// Inside are hosts in the server's own network, as far as their names tell,
	// which only a person may allow: anybody who may register a location in the
	// Backstage can name them.
	Inside []string
	// Read are the entities that come from Locations, and Copied those that were
	// written as files.
	Read, Copied int
	// LeftOut are entities of kind Location that were not copied: what they lead
	// to was.
	LeftOut int
	// GitHub are the organisations in which several Locations stand, and how many.
	GitHub map[string]int
}

// Bounds of what a Backstage may answer.
const (
	importPage   = 500
	maxAnswer    = 256 << 20 // bytes of one page
	maxImported  = 1_000_000 // entities
	importWait   = 2 * time.Minute
	manyOfGitHub = 3 // Locations in one organisation, from which on a GitHub source is better
)

// entity is one as Backstage gives it.
type entity struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Spec       map[string]any `json:"spec"`
}

// Run writes into a folder that does not exist yet, or is empty: waypost.yaml, the
// configuration with which a server reads the same catalog, and below entities what
// is in no file that it could read.
func (i Import) Run(ctx context.Context, folder string) (Imported, error) {
	base, err := i.base()
	if err != nil {
		return Imported{}, err
	}
	all, err := i.entities(ctx, base)
	if err != nil {
		return Imported{}, fmt.Errorf("read the entities of %s: %w", base, err)
	}
	registered, err := i.registered(ctx, base)
	if err != nil {
		return Imported{}, fmt.Errorf("read the locations of %s: %w", base, err)
	}
	out := Imported{GitHub: map[string]int{}}
	locations, hosts := map[string]bool{}, map[string]bool{}
	add := func(target string) bool {
		page, ok := readable(target)
		if !ok || i.Copy {
			return false
		}
		if !locations[target] {
			locations[target] = true
			hosts[page.Host] = true
			if owner, rest, ok := strings.Cut(strings.TrimPrefix(page.Path, "/"), "/"); ok && page.Host == "github.com" && strings.Contains(rest, "/blob/") {
				out.GitHub[owner]++
			}
		}
		return true
	}
	for _, target := range registered {
		add(target)
	}
	var copies []document
	for _, e := range all {
		annotations, _ := e.Metadata["annotations"].(map[string]any)
		origin, _ := annotations["backstage.io/managed-by-origin-location"].(string)
		switch {
		case add(origin):
			out.Read++
		case strings.EqualFold(e.Kind, "Location"):
			out.LeftOut++
		default:
			d := document(e)
			d.strip()
			copies = append(copies, d)
			out.Copied++
		}
	}
	maps.DeleteFunc(out.GitHub, func(_ string, n int) bool { return n < manyOfGitHub })
	out.Locations = slices.Sorted(maps.Keys(locations))
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		if inside(host) {
			out.Inside = append(out.Inside, host)
		} else {
			out.Hosts = append(out.Hosts, host)
		}
	}
	slices.SortFunc(copies, func(a, b document) int { return strings.Compare(a.key(), b.key()) })
	if err := newFolder(folder); err != nil {
		return out, err
	}
	return out, i.write(folder, base, out, copies)
}

// base is the address of the catalog's API.
func (i Import) base() (*url.URL, error) {
	u, err := url.Parse(i.URL)
	if err == nil && u.User != nil {
		return nil, errors.New("the address of the Backstage holds a name or a password; give it a token with --token-file instead")
	}
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return nil, fmt.Errorf("%q is no address of a Backstage; write one such as https://backstage.example.com", i.URL)
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/catalog") + "/api/catalog"
	return u, nil
}

// readable is the address of a location that a server reads by itself.
func readable(location string) (*url.URL, bool) {
	target, ok := strings.CutPrefix(location, "url:")
	if !ok || strings.Contains(target, "*") { // a pattern is for the forge's search
		return nil, false
	}
	u, err := url.Parse(target)
	return u, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// inside tells whether a host is in the network of whoever reads it.
func inside(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]."))
	if ip, err := netip.ParseAddr(name); err == nil {
		return !ip.IsGlobalUnicast() || ip.IsPrivate()
	}
	// A number in another base is an address too, and no name is without a dot but
	// in a network of one's own.
	last := name[strings.LastIndexByte(name, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	return err == nil || !strings.Contains(name, ".") || last == "localhost" || last == "local" || last == "internal"
}

// StatusError is an answer of a Backstage that is none.
type StatusError struct {
	Status int
	Text   string // the beginning of it
}

// Error says what can be done.
func (e *StatusError) Error() string {
	hint := ""
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "; give it a token with --token-file, of an externalAccess entry in its app-config"
	case http.StatusNotFound:
		hint = "; is this the address of the back end"
	}
	return fmt.Sprintf("it answered %d %s%s: %s", e.Status, http.StatusText(e.Status), hint, e.Text)
}

// ask gets a page of JSON.
func (i Import) ask(ctx context.Context, base *url.URL, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, importWait)
	defer cancel()
	u := *base
	u.Path += path
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if i.Token != "" {
		r.Header.Set("Authorization", "Bearer "+i.Token)
	}
	answer, err := cmp.Or(i.Client, http.DefaultClient).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // what came of it is enough
		return &StatusError{answer.StatusCode, strings.TrimSpace(string(text))}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return err
	}
	if len(body) > maxAnswer {
		return fmt.Errorf("an answer has more than %d bytes", maxAnswer)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("its answer is not what Backstage answers (is this the address of the back end, and not of the front end): %w", err)
	}
	return nil
}

// entities reads all pages, by the route of a Backstage since 1.13, or else by the
// older one.
func (i Import) entities(ctx context.Context, base *url.URL) ([]entity, error) {
	var out []entity
	query := url.Values{"limit": {strconv.Itoa(importPage)}}
	for seen := map[string]bool{}; ; {
		var page struct {
			Items      []entity `json:"items"`
			TotalItems int      `json:"totalItems"`
			PageInfo   struct {
				NextCursor string `json:"nextCursor"`
			} `json:"pageInfo"`
		}
		err := i.ask(ctx, base, "/entities/by-query", query, &page)
		if status, ok := errors.AsType[*StatusError](err); ok && status.Status == http.StatusNotFound && out == nil {
			return i.entitiesByOffset(ctx, base)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if i.Progress != nil {
			i.Progress(len(out), max(page.TotalItems, len(out)))
		}
		next := page.PageInfo.NextCursor
		if next == "" || len(page.Items) == 0 {
			return out, nil
		}
		if len(out) > maxImported || seen[next] {
			return nil, fmt.Errorf("it has more than %d entities, or gives the same page again and again", maxImported)
		}
		seen[next] = true
		query = url.Values{"limit": {strconv.Itoa(importPage)}, "cursor": {next}}
	}
}

func (i Import) entitiesByOffset(ctx context.Context, base *url.URL) ([]entity, error) {
	var out []entity
	for len(out) <= maxImported {
		var page []entity
		query := url.Values{"limit": {strconv.Itoa(importPage)}, "offset": {strconv.Itoa(len(out))}}
		if err := i.ask(ctx, base, "/entities", query, &page); err != nil {
			return nil, err
		}
		out = append(out, page...)
		if i.Progress != nil {
			i.Progress(len(out), len(out))
		}
		if len(page) < importPage {
			return out, nil
		}
	}
	return nil, fmt.Errorf("it has more than %d entities", maxImported)
}

// registered are the locations in its database, as type:target.
func (i Import) registered(ctx context.Context, base *url.URL) ([]string, error) {
	var list []struct {
		Data struct {
			Type   string `json:"type"`
			Target string `json:"target"`
		} `json:"data"`
	}
	if err := i.ask(ctx, base, "/locations", nil, &list); err != nil {
		return nil, err
	}
	var out []string
	for _, l := range list {
		out = append(out, l.Data.Type+":"+l.Data.Target)
	}
	return out, nil
}

// write makes the files.
func (i Import) write(folder string, base *url.URL, done Imported, copies []document) error {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return err
	}
	type source map[string]any
	sources := []source{}
	for _, target := range done.Locations {
		sources = append(sources, source{"type": "location", "target": target})
	}
	if len(copies) > 0 {
		entities := filepath.Join(folder, "entities")
		sources = append(sources, source{"type": "dir", "path": entities, "patterns": []string{"**/*.yaml"}, "inference": false})
		for n, d := range copies {
			dir := filepath.Join(entities, fileName(cmp.Or(d.text("namespace"), "default")), fileName(d.Kind))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			text, err := d.yaml()
			if err != nil {
				return err
			}
			path := filepath.Join(dir, fileName(d.text("name"))+".yaml")
			if _, err := os.Stat(path); err == nil { // names that differ in what a file's name cannot hold
				path = filepath.Join(dir, fileName(d.text("name"))+"-"+strconv.Itoa(n)+".yaml")
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				return err
			}
		}
	}
	var config bytes.Buffer
	if err := object(&config, map[string]any{"readAllow": append([]string{}, done.Hosts...), "sources": sources}, []string{"readAllow"}); err != nil {
		return err
	}
	text, err := output.YAML(config.Bytes())
	if err != nil {
		return err
	}
	head := fmt.Sprintf("# Made by waypost import backstage, from %s.\n", base)
	return os.WriteFile(filepath.Join(folder, "waypost.yaml"), append([]byte(head), text...), 0o644)
}
