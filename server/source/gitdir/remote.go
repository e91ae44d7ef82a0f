package gitdir

import (
	"net"
	"net/url"
	"strings"
)

// origin is a repository on a forge.
type origin struct {
	owner, name string
	url         string // of its web page
}

// parseOrigin reads the URL of a remote, https://host/owner/name.git, or over
// ssh, git or in scp's form host:owner/name.git. It says false for anything
// that names no repository on a host, such as a path. User names, passwords
// and tokens in the URL go no further.
func parseOrigin(remote string) (origin, bool) {
	if len(remote) > 2048 || strings.ContainsAny(remote, "\x00\r\n\t ") {
		return origin{}, false
	}
	var scheme, host, path string
	if strings.Contains(remote, "://") {
		u, err := url.Parse(remote)
		if err != nil {
			return origin{}, false
		}
		scheme, host, path = strings.ToLower(u.Scheme), u.Host, u.Path
	} else {
		var ok bool
		host, path, ok = strings.Cut(remote, ":")
		if !ok || strings.Contains(host, "/") || strings.HasPrefix(path, "\\") || strings.HasPrefix(path, ":") || len(host) == 1 {
			return origin{}, false // a path, perhaps with a drive letter, or a helper::address
		}
		host = host[strings.LastIndexByte(host, '@')+1:]
		scheme = "ssh"
	}
	web := "https"
	switch scheme {
	case "https":
	case "http":
		web = "http"
	case "ssh", "git", "git+ssh", "ssh+git":
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h // the port is not the web server's
		}
		if host == "ssh.github.com" { // ssh over the HTTPS port
			host = "github.com"
		}
	default:
		return origin{}, false
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	slash := strings.LastIndexByte(path, '/')
	if host == "" || slash <= 0 || slash == len(path)-1 {
		return origin{}, false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return origin{}, false
		}
	}
	host = strings.ToLower(host)
	page := url.URL{Scheme: web, Host: host, Path: "/" + path}
	return origin{owner: path[:slash], name: path[slash+1:], url: page.String()}, true
}
