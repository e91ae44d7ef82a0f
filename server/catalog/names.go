package catalog

import (
	"strconv"
	"strings"
)

// The rules of names are those of Backstage's field format policy, which took
// them from Kubernetes.

const maxName = 63

// CheckName returns what is wrong with an entity's name, or "".
func CheckName(s string) string {
	if len(s) <= maxName && isRuns(s, "-_.", false) {
		return ""
	}
	return "1 to 63 letters and digits, with single or repeated -, _ and . between them"
}

func checkNamespace(s string) string {
	if len(s) <= maxName && isRuns(s, "-", false) {
		return ""
	}
	return "1 to 63 letters and digits, with - between them"
}

func checkKind(s string) string {
	if len(s) <= maxName && isRuns(s, "", false) && !isDigit(s[0]) {
		return ""
	}
	return "1 to 63 letters and digits, starting with a letter, such as Component"
}

func checkAPIVersion(s string) string {
	prefix, version, two := strings.Cut(s, "/")
	if !two {
		prefix, version = "", s
	}
	if (!two || isDNSName(prefix)) && len(version) <= maxName && isRuns(version, "", false) {
		return ""
	}
	return "such as backstage.io/v1alpha1: a domain name, a slash, and letters and digits"
}

func checkTag(s string) string {
	if len(s) <= maxName && isTag(s) {
		return ""
	}
	return "1 to 63 characters of a-z, 0-9, : + and #, with - between them"
}

func checkKey(s string) string {
	prefix, name, two := strings.Cut(s, "/")
	if !two {
		prefix, name = "", s
	}
	if (!two || isDNSName(prefix)) && CheckName(name) == "" {
		return ""
	}
	return "an optional lower-case domain name and a slash, then 1 to 63 letters and digits with -, _ and . between them"
}

func checkLabelValue(s string) string {
	if s == "" || CheckName(s) == "" {
		return ""
	}
	return "empty, or 1 to 63 letters and digits with -, _ and . between them"
}

// checkURL accepts what the URL constructor of browsers and Node does, as far
// as people write it: a scheme, and a host where the scheme has one.
func checkURL(s string) string {
	const hint = "complete, such as https://runbooks.example.com/payments"
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), ":")
	if !ok || scheme == "" {
		return hint
	}
	for i := 0; i < len(scheme); i++ {
		c := scheme[i] | 0x20
		if ('a' > c || c > 'z') && (i == 0 || !isDigit(scheme[i]) && strings.IndexByte("+-.", scheme[i]) < 0) {
			return hint
		}
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ws", "wss", "ftp":
		host := strings.TrimLeft(rest, `/\`)
		if end := strings.IndexAny(host, `/\?#`); end >= 0 {
			host = host[:end]
		}
		host = host[strings.LastIndexByte(host, '@')+1:]
		if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") {
			if port, err := strconv.Atoi("0" + host[colon+1:]); err != nil || port > 65535 {
				return hint
			}
			host = host[:colon]
		}
		if host == "" || strings.ContainsAny(host, " <>^|%\t") {
			return hint
		}
	}
	return ""
}

// isRuns tells whether s begins and ends with a letter or digit and has only
// those and separators in it.
func isRuns(s, separators string, lower bool) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c), 'a' <= c && c <= 'z', !lower && 'A' <= c && c <= 'Z':
		case i > 0 && i < len(s)-1 && strings.IndexByte(separators, c) >= 0:
		default:
			return false
		}
	}
	return true
}

func isTag(s string) bool {
	if s == "" {
		return false
	}
	dash := true // a dash may not come first, nor after another
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isDigit(c), 'a' <= c && c <= 'z', c == ':', c == '+', c == '#':
			dash = false
		case c == '-' && !dash:
			dash = true
		default:
			return false
		}
	}
	return !dash
}

// isDNSName tells whether s is a lower-case domain name of at most 253 bytes.
func isDNSName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) > maxName || !isRuns(label, "-", true) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
