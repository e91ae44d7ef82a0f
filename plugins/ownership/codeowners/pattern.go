package codeowners

import "strings"

// A segment is what stands between two slashes of a pattern.
type segment struct {
	kind segmentKind
	// text is of a literal, without escapes.
	text string
	// glob is of a name with wildcards: one byte each, in which a literal
	// asterisk or question mark stands as itself and wildcards as below.
	glob string
}

type segmentKind uint8

const (
	literal segmentKind = iota
	glob                // with * or ?
	star                // * alone: exactly one name
	any                 // **: any number of names
)

// Wildcards within a glob. No path has these bytes: NUL and SOH are in no name
// that git tracks sensibly, and one that has them merely fails to match.
const (
	anyText = '\x00'
	anyChar = '\x01'
)

// pattern is a compiled pattern.
type pattern struct {
	segments []segment
	// below: what is below a folder that matches, matches too.
	below bool
}

// compile reads a pattern. The meaning of each part is GitHub's, as the vectors
// in testdata tell.
func compile(raw string, d Dialect) pattern {
	if raw == "/" || raw == "" {
		return pattern{segments: []segment{{kind: literal, text: ""}}} // no path is empty
	}
	parts := strings.Split(raw, "/")
	switch {
	case parts[0] == "":
		parts = parts[1:]
	case parts[0] == "**":
	case len(parts) == 1, len(parts) == 2 && parts[1] == "", d == GitLab:
		parts = append([]string{"**"}, parts...)
	}
	last := len(parts) - 1
	if last > 0 && parts[last] == "" {
		parts[last] = "**"
		if parts[last-1] == "**" { // what is in some folder
			parts = append(parts[:last], "*", "**")
			last++
		}
	}
	p := pattern{segments: make([]segment, len(parts))}
	for i, s := range parts {
		p.segments[i] = compileSegment(s)
	}
	switch p.segments[last].kind {
	case literal, glob:
		p.below = true
	}
	return p
}

func compileSegment(s string) segment {
	switch s {
	case "**":
		return segment{kind: any}
	case "*":
		return segment{kind: star}
	}
	var b strings.Builder
	wild := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '*':
			wild = true
			if t := b.String(); t == "" || t[len(t)-1] != anyText {
				b.WriteByte(anyText)
			}
		case '?':
			wild = true
			b.WriteByte(anyChar)
		default:
			b.WriteByte(c)
		}
	}
	if wild {
		return segment{kind: glob, glob: b.String()}
	}
	return segment{kind: literal, text: b.String()}
}

// matches tells whether the pattern, from its segment s on, matches the names of
// a path from n on.
func (p *pattern) matches(names []string, s, n int) bool {
	// The last ** seen, to go back to: as with * in a name, only the last one
	// needs another try.
	againS, againN := -1, 0
	for {
		switch {
		case s == len(p.segments):
			if n == len(names) || p.below {
				return true
			}
		case p.segments[s].kind == any:
			if s == len(p.segments)-1 {
				if n < len(names) || s == 0 {
					return true
				}
			} else {
				s++
				againS, againN = s, n
				continue
			}
		case n < len(names) && p.segments[s].match(names[n]):
			s++
			n++
			continue
		}
		if againS < 0 || againN >= len(names) {
			return false
		}
		againN++
		s, n = againS, againN
	}
}

func (g *segment) match(name string) bool {
	switch g.kind {
	case literal:
		return g.text == name
	case star:
		return true
	default:
		return matchGlob(g.glob, name)
	}
}

// matchGlob matches a name against a glob, going back to the last * alone, which
// is enough.
func matchGlob(g, name string) bool {
	i, n := 0, 0
	againI, againN := -1, 0
	for n < len(name) {
		switch {
		case i < len(g) && g[i] == anyText:
			i++
			againI, againN = i, n
			continue
		case i < len(g) && g[i] == anyChar:
			i++
			n++
			for n < len(name) && name[n]&0xC0 == 0x80 { // the rest of a letter
				n++
			}
			continue
		case i < len(g) && g[i] == name[n]:
			i++
			n++
			continue
		}
		if againI < 0 {
			return false
		}
		againN++
		for againN < len(name) && name[againN]&0xC0 == 0x80 {
			againN++
		}
		i, n = againI, againN
	}
	for i < len(g) && g[i] == anyText {
		i++
	}
	return i == len(g)
}
