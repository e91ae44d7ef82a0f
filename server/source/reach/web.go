package reach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/waypost-dev/waypost/server/source"
)

// WebOptions say which hosts may be read.
type WebOptions struct {
	// Allow are the hosts that may be read: HOST, HOST:PORT, or *.DOMAIN for all
	// hosts below a domain. Without a port, the scheme's own is meant. A host
	// that is named in full may have a private or loopback address; a link-local
	// address, such as that of a cloud's metadata service, must be named itself.
	Allow []string
	// Cache keeps answers by URL, so that what has not changed is not sent
	// again. There is none if it is nil.
	Cache Cache
	// Timeout of one request; 30 seconds if zero.
	Timeout time.Duration
}

// Cache keeps answers from one harvest to the next. It is safe for concurrent
// use; a lost entry costs a request and nothing else.
type Cache interface {
	Get(key string) ([]byte, bool)
	Set(key string, value []byte)
}

// Web reads files from the hosts that are allowed, and from no other: the
// address is checked where the connection is made, so that neither a redirect
// nor a name that resolves elsewhere leads inside. It is safe for concurrent
// use.
type Web struct {
	allow  []allowed
	client *http.Client
	cache  Cache
}

// allowed is one entry of the allow-list.
type allowed struct {
	host   string // in lower case; of *.DOMAIN: .DOMAIN
	port   string // empty: the scheme's own
	suffix bool
}

// Parallel is how many files are read from the web at once, for one repository.
const Parallel = 8

const maxRedirects = 5

// NewWeb checks the options.
func NewWeb(o WebOptions) (*Web, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	w := &Web{cache: o.Cache}
	for _, entry := range o.Allow {
		a := allowed{host: strings.ToLower(strings.TrimSpace(entry))}
		if h, p, err := net.SplitHostPort(a.host); err == nil {
			a.host, a.port = h, p
		}
		a.host = strings.Trim(a.host, "[]")
		if rest, ok := strings.CutPrefix(a.host, "*."); ok {
			a.host, a.suffix = "."+rest, true
		}
		_, err := strconv.ParseUint(a.port, 10, 16)
		if a.port != "" && err != nil || a.host == "" || a.host == "." || strings.ContainsAny(a.host, "/*@ ") {
			return nil, fmt.Errorf("read-allow %q is no host; write HOST, HOST:PORT or *.DOMAIN", entry)
		}
		w.allow = append(w.allow, a)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	transport := &http.Transport{
		// No proxy: it would make the connection in our place, unchecked.
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			d := *dialer
			d.Control = func(_, resolved string, _ syscall.RawConn) error {
				ap, err := netip.ParseAddrPort(resolved)
				if err != nil {
					return err
				}
				return w.checkAddress(host, ap.Addr())
			}
			return d.DialContext(ctx, network, addr)
		},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           Parallel,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	w.client = &http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return Fail("name the address that it ends at", "it is redirected more than %d times", maxRedirects)
		}
		if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return Fail("name an address that stays with https", "it is redirected from https to %s", req.URL.Scheme)
		}
		return w.Check(req.URL)
	}}
	return w, nil
}

// entry is the entry of the allow-list for a host and port.
func (w *Web) entry(host, port, scheme string) (allowed, bool) {
	host = strings.ToLower(host)
	own := map[string]string{"http": "80", "https": "443"}[scheme]
	if port == "" {
		port = own
	}
	best, ok := allowed{}, false
	for _, a := range w.allow {
		want := a.port
		if want == "" {
			want = own
		}
		matches := a.host == host || a.suffix && strings.HasSuffix(host, a.host)
		if matches && want == port && (!ok || !a.suffix) {
			best, ok = a, true
		}
	}
	return best, ok
}

// Check tells whether an address may be asked for. What it leads to is checked
// again where the connection is made.
func (w *Web) Check(u *url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" {
		return Fail("use https", "it leads to an address that is not http")
	}
	if _, ok := w.entry(u.Hostname(), u.Port(), u.Scheme); !ok {
		return denied(u.Host)
	}
	return nil
}

// checkAddress refuses an address that host may not have.
func (w *Web) checkAddress(host string, addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	byName, byAddress := false, false
	for _, a := range w.allow {
		if !a.suffix && strings.EqualFold(a.host, host) {
			byName = true
		}
		if ip, err := netip.ParseAddr(a.host); err == nil && ip.Unmap() == addr {
			byAddress = true
		}
	}
	switch reach(addr) {
	case reachPublic:
		return nil
	case reachPrivate:
		if byName || byAddress {
			return nil
		}
	case reachNever:
		if byAddress {
			return nil
		}
	}
	return Fail("name the host, or the address itself, with --read-allow if it is meant",
		"%s has the address %s, which is not a public one", host, addr)
}

const (
	reachPublic  = iota
	reachPrivate // within an organisation or on this machine
	reachNever   // of no use to anybody who means well
)

// Ranges of the IANA special-purpose registries (RFC 6890) that netip has no
// word for.
var (
	private = prefixes("100.64.0.0/10", "198.18.0.0/15")
	never   = prefixes("0.0.0.0/8", "192.0.0.0/24", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/23", "fec0::/10", "100::/64")
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func reach(a netip.Addr) int {
	switch {
	case a.IsUnspecified(), a.IsLinkLocalUnicast(), a.IsMulticast():
		return reachNever
	case a.IsLoopback(), a.IsPrivate():
		return reachPrivate
	}
	for _, p := range never {
		if p.Contains(a) {
			return reachNever
		}
	}
	for _, p := range private {
		if p.Contains(a) {
			return reachPrivate
		}
	}
	return reachPublic
}

// kept is what the cache holds of an address.
type kept struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	Body     []byte `json:"body"`
}

// Get reads an address. An error is a *Failure, and tells nothing of what stood
// behind an address that is not allowed.
func (w *Web) Get(ctx context.Context, page *url.URL) ([]byte, error) {
	page = Address(page)
	if err := w.Check(page); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page.String(), nil)
	if err != nil {
		return nil, Fail("write https://HOST/PATH", "the address cannot be asked for")
	}
	req.Header.Set("User-Agent", "waypost")
	req.Header.Set("Accept", "application/yaml, text/yaml, text/plain, application/json;q=0.9, */*;q=0.5")
	var old kept
	if w.cache != nil {
		if b, ok := w.cache.Get(page.String()); ok && json.Unmarshal(b, &old) == nil {
			if old.ETag != "" {
				req.Header.Set("If-None-Match", old.ETag)
			}
			if old.Modified != "" {
				req.Header.Set("If-Modified-Since", old.Modified)
			}
		}
	}
	res, err := w.client.Do(req)
	if err != nil {
		return nil, explain(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified && old.Body != nil:
		return old.Body, nil
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return nil, &Failure{Message: "the server answers " + res.Status, Hint: "mend the address or remove the target; a private file answers so too", Missing: true}
	case res.StatusCode != http.StatusOK:
		return nil, Fail("it is tried again at the next harvest", "the server answers %s", res.Status)
	case res.ContentLength > source.MaxDocument:
		return nil, TooLarge()
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, source.MaxDocument+1))
	if err != nil {
		return nil, explain(err)
	}
	if len(b) > source.MaxDocument {
		return nil, TooLarge()
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		return nil, Fail("name the address of the raw file", "the server answers with a web page")
	}
	k := kept{res.Header.Get("ETag"), res.Header.Get("Last-Modified"), b}
	if w.cache != nil && (k.ETag != "" || k.Modified != "") {
		if v, err := json.Marshal(k); err == nil {
			w.cache.Set(page.String(), v)
		}
	}
	return b, nil
}

// Address is where the content of a page is asked for: of a file on GitHub, which
// is named by its web page, the raw content.
func Address(page *url.URL) *url.URL {
	if g, ok := OnGitHub(page); ok {
		return g.Raw()
	}
	return page
}

// explain takes the address out of an error of net/http, and keeps our own.
func explain(err error) error {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return Fail("it is tried again at the next harvest", "the server takes too long to answer")
	}
	return Fail("it is tried again at the next harvest", "%.300s", err)
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// GitHubFile is a file on a branch, as GitHub's web pages address it.
type GitHubFile struct {
	Owner, Name, Branch, Path string
}

// OnGitHub reads https://github.com/OWNER/NAME/blob/BRANCH/PATH, where tree and
// raw do for blob. A branch with a slash is taken to end at it.
func OnGitHub(u *url.URL) (GitHubFile, bool) {
	if u.Host != "github.com" || u.Scheme != "https" {
		return GitHubFile{}, false
	}
	p := strings.SplitN(strings.TrimPrefix(u.Path, "/"), "/", 5)
	if len(p) != 5 || p[0] == "" || p[1] == "" || p[3] == "" || (p[2] != "blob" && p[2] != "tree" && p[2] != "raw") {
		return GitHubFile{}, false
	}
	clean := path.Clean(p[4])
	if clean != p[4] || clean == ".." || strings.HasPrefix(clean, "../") {
		return GitHubFile{}, false
	}
	return GitHubFile{p[0], p[1], p[3], p[4]}, true
}

// Raw is where GitHub serves the file's content. The host has to be allowed
// like any other: raw.githubusercontent.com.
func (g GitHubFile) Raw() *url.URL {
	return &url.URL{Scheme: "https", Host: "raw.githubusercontent.com", Path: "/" + g.Owner + "/" + g.Name + "/" + g.Branch + "/" + g.Path}
}

// Key is the path under which a file from the web is reported: host and path.
func Key(u *url.URL) string {
	key := u.Host + "/" + strings.TrimPrefix(path.Clean("/"+u.Path), "/")
	if u.RawQuery != "" {
		key += "?" + strings.ReplaceAll(u.RawQuery, "/", "%2F") // or it could look like folders
	}
	return strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSuffix(key, "/"), "\x00", ""), "\ufffd")
}

// ParseURL accepts http and https addresses, and drops what has no business in
// a name: user, password and fragment.
func ParseURL(s string) (*url.URL, error) {
	if len(s) > 4096 {
		return nil, errors.New("the address is longer than 4096 bytes")
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("the address cannot be parsed")
	}
	if u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, fmt.Errorf("the address must start with https://HOST or http://HOST")
	}
	if u.User != nil {
		return nil, errors.New("the address holds a user name; leave it out")
	}
	u.Fragment, u.RawFragment = "", ""
	u.Host = strings.ToLower(u.Host)
	return u, nil
}
