package ownership

import "strings"

// For now this reads the plainest patterns only: the parser of all of them,
// plugins/ownership/codeowners, takes its place.
const maxOwnersFile = 3 << 20

type rule struct {
	line    int
	pattern string
	owners  []string
}

type badLine struct {
	line    int
	message string
}

type ownersFile struct {
	match   func(path string) (rule, bool)
	invalid []badLine
	size    int
}

func parseOwners(content, _ string) *ownersFile {
	var rules []rule
	f := &ownersFile{size: len(content)}
	for i, l := range strings.Split(content, "\n") {
		w := strings.Fields(l)
		if len(w) == 0 || w[0][0] == '#' {
			continue
		}
		if w[0][0] == '!' {
			f.invalid = append(f.invalid, badLine{i + 1, "negation is not supported"})
			continue
		}
		rules = append(rules, rule{i + 1, w[0], w[1:]})
	}
	f.match = func(p string) (rule, bool) {
		for i := len(rules) - 1; i >= 0; i-- {
			r := rules[i]
			if r.pattern == "*" || strings.HasPrefix("/"+p, r.pattern) || strings.HasPrefix(r.pattern, "*") && strings.HasSuffix(p, r.pattern[1:]) {
				return r, true
			}
		}
		return rule{}, false
	}
	return f
}
