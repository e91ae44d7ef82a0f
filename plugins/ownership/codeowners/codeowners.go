// Package codeowners reads CODEOWNERS files as the forges do, and tells who owns
// a path. It does no input or output.
//
// The rules are GitHub's ("About code owners" in its documentation): the last
// pattern that matches a path decides alone; one without owners says that nobody
// owns it; a line that is wrong is passed over, and no other.
//
// github.com/hmarr/codeowners, which the tests compare with, gives up on a file
// with one wrong line, knows no owners like @acme/team.a or a@acme.engineering,
// allows few letters in patterns, and tries every rule by a regular expression:
// 20,000 rules would cost milliseconds a path.
package codeowners

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxSize is the size in bytes above which GitHub ignores a file.
const MaxSize = 3 << 20

// Bounds on what a person writes; beyond them a line is passed over, so that a
// hostile file costs neither time nor memory out of proportion.
const (
	maxLine    = 64 << 10 // bytes
	maxFolders = 100      // in a pattern
	maxStars   = 20       // in a name of a pattern
	maxRules   = 200_000
	maxInvalid = 1000 // that are told
)

// Dialect is a forge's way of reading the file.
type Dialect string

// The dialects. The zero value is GitHub's.
const (
	GitHub Dialect = "github"
	// GitLab has sections, each of which decides for itself, and lets a pattern
	// without a leading slash match at any depth.
	GitLab Dialect = "gitlab"
)

// Locations are where a forge looks for the file; the first found counts.
func Locations(d Dialect) []string {
	if d == GitLab {
		return []string{"CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"}
	}
	return []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}
}

// Kind is a kind of owner.
type Kind string

// The kinds.
const (
	Team  Kind = "team"  // @org/team
	User  Kind = "user"  // @login
	Email Kind = "email" // name@host
)

// Owner is one owner of a rule.
type Owner struct {
	Kind Kind
	Name string // without the @ of a team or user
}

// String is the owner as written in a file.
func (o Owner) String() string {
	if o.Kind == Email {
		return o.Name
	}
	return "@" + o.Name
}

// Rule is a line that says who owns what.
type Rule struct {
	Line    int // from 1
	Pattern string
	Owners  []Owner // none: explicitly nobody
	Section string  // GitLab; empty for none

	pattern pattern
}

// Invalid is a line that is passed over.
type Invalid struct {
	Line, Column int // from 1; the column in bytes
	Text         string
	Reason       string
	Fix          string // what to do
}

// File is a file that was read. It is safe for concurrent use.
type File struct {
	Rules   []Rule
	Invalid []Invalid
	// TooLarge: it is above MaxSize, so that the forge ignores it, and has no
	// rules here.
	TooLarge bool

	sections []*matcher
}

// Parse reads a file. It never fails as a whole.
func Parse(content []byte, d Dialect) *File {
	f := &File{}
	if len(content) > MaxSize {
		f.TooLarge = true
		return f
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	p := parser{file: f, dialect: d}
	n := 0
	for line := range bytes.Lines(content) {
		n++
		p.line(n, strings.TrimRight(string(line), "\r\n"))
	}
	of := map[string]*matcher{}
	for i := range f.Rules {
		r := &f.Rules[i]
		key := strings.ToLower(r.Section)
		if of[key] == nil {
			of[key] = newMatcher()
			f.sections = append(f.sections, of[key])
		}
		of[key].add(int32(i), &r.pattern)
	}
	for _, m := range f.sections {
		m.seal()
	}
	return f
}

// Match is who owns a path.
type Match struct {
	// Rules are the rules that decide: one, or for GitLab one of each section
	// that matches, in the order of the file.
	Rules []*Rule
}

// Owners are those of all rules; none means explicitly nobody.
func (m Match) Owners() []Owner {
	if len(m.Rules) == 1 {
		return m.Rules[0].Owners
	}
	var out []Owner
	for _, r := range m.Rules {
		out = append(out, r.Owners...)
	}
	return out
}

// Match finds who owns a path, which is relative and has no slash at its ends.
// It is false if no rule matches.
func (f *File) Match(path string) (Match, bool) {
	var out Match
	for _, m := range f.sections {
		if i := m.last(f.Rules, path); i >= 0 {
			out.Rules = append(out.Rules, &f.Rules[i])
		}
	}
	return out, len(out.Rules) > 0
}

// Rule is the rule that decides about a path; nil if there is none. It is Match
// for files without sections, and allocates nothing.
func (f *File) Rule(path string) *Rule {
	if len(f.sections) != 1 {
		if m, ok := f.Match(path); ok {
			return m.Rules[len(m.Rules)-1]
		}
		return nil
	}
	if i := f.sections[0].last(f.Rules, path); i >= 0 {
		return &f.Rules[i]
	}
	return nil
}

// parser reads lines.
type parser struct {
	file     *File
	dialect  Dialect
	section  string
	defaults []Owner
}

func (p *parser) wrong(n, column int, text, reason, fix string) {
	if len(p.file.Invalid) == maxInvalid {
		return
	}
	const shown = 200
	if len(text) > shown {
		text = strings.ToValidUTF8(text[:shown], "") + "…"
	}
	p.file.Invalid = append(p.file.Invalid, Invalid{Line: n, Column: column, Text: strings.ToValidUTF8(text, "\ufffd"), Reason: reason, Fix: fix})
}

func (p *parser) line(n int, line string) {
	start := len(line) - len(strings.TrimLeft(line, " \t"))
	text := line[start:]
	switch {
	case text == "" || text[0] == '#':
		return
	case len(line) > maxLine:
		p.wrong(n, 1, line, fmt.Sprintf("the line has %d bytes", len(line)), "divide it into several")
		return
	case !utf8.ValidString(line):
		p.wrong(n, 1, line, "the line is not UTF-8", "save the file as UTF-8")
		return
	case p.dialect == GitLab && p.header(n, line, text):
		return
	}
	raw, rest := cutPattern(text)
	column := start + 1
	switch {
	case strings.HasPrefix(raw, "!"):
		p.wrong(n, column, line, "a pattern cannot be negated with !", "give the path to its owners in a later line, or to nobody by a line without owners")
		return
	case strings.HasPrefix(raw, `\#`):
		p.wrong(n, column, line, `a pattern cannot begin with \#`, "match the name in another way, such as ?name")
		return
	case strings.ContainsAny(raw, "[]"):
		p.wrong(n, column+strings.IndexAny(raw, "[]"), line, "a pattern cannot have a range of characters in brackets", "write a pattern for each character, or ? for any")
		return
	case strings.ContainsAny(raw, "\x00\x01"):
		p.wrong(n, column, line, "a pattern cannot have control characters", "remove them")
		return
	case strings.Count(raw, "/") > maxFolders:
		p.wrong(n, column, line, fmt.Sprintf("the pattern has more than %d folders", maxFolders), "name a folder nearer to the root")
		return
	case slices.ContainsFunc(strings.Split(raw, "/"), func(s string) bool { return strings.Count(s, "*") > maxStars }):
		p.wrong(n, column, line, fmt.Sprintf("a name in the pattern has more than %d asterisks", maxStars), "write fewer")
		return
	case strings.Contains(raw, "***"):
		p.wrong(n, column+strings.Index(raw, "***"), line, "a pattern cannot have three asterisks in a row", "write ** for any folders, * for any name")
		return
	}
	owners, ok := p.owners(n, start+len(raw), line, rest)
	if !ok {
		return
	}
	if len(p.file.Rules) == maxRules {
		p.wrong(n, 1, line, fmt.Sprintf("it is the rule after the first %d", maxRules), "give folders to owners, not files")
		return
	}
	if len(owners) == 0 && p.dialect == GitLab {
		owners = p.defaults
	}
	p.file.Rules = append(p.file.Rules, Rule{Line: n, Pattern: raw, Owners: owners, Section: p.section, pattern: compile(raw, p.dialect)})
}

// cutPattern takes the pattern off a line: up to white space that no backslash
// stands before.
func cutPattern(text string) (raw, rest string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case ' ', '\t':
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// What GitHub and GitLab allow as names.
var (
	userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?$`)
	teamName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)
	userDots = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.-]*$`)
	address  = regexp.MustCompile(`^[^\s@<>"]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,63}$`)
)

// owners reads what follows a pattern. One word that is no owner makes the whole
// line wrong.
func (p *parser) owners(n, at int, line, rest string) ([]Owner, bool) {
	var out []Owner
	for rest != "" {
		word := strings.TrimLeft(rest, " \t")
		at += len(rest) - len(word)
		end := strings.IndexAny(word, " \t")
		if end < 0 {
			end = len(word)
		}
		word, rest = word[:end], word[end:]
		if word == "" || word[0] == '#' {
			break
		}
		o, ok := p.owner(word)
		if !ok {
			p.wrong(n, at+1, line, fmt.Sprintf("%.100q is no owner", word), "write @login, @organisation/team, or an e-mail address; a remark begins with #")
			return nil, false
		}
		out = append(out, o)
		at += len(word)
	}
	return out, true
}

func (p *parser) owner(word string) (Owner, bool) {
	name, at := strings.CutPrefix(word, "@")
	switch {
	case at && strings.Contains(name, "/") && teamName.MatchString(name) && (p.dialect == GitLab || strings.Count(name, "/") == 1):
		return Owner{Team, name}, true
	case at && (userName.MatchString(name) || p.dialect == GitLab && userDots.MatchString(name)):
		return Owner{User, name}, true
	case !at && address.MatchString(word):
		return Owner{Email, word}, true
	}
	return Owner{}, false
}

// sectionHeader is GitLab's: ^[Name][2] @default owners
var sectionHeader = regexp.MustCompile(`^\^?\[([^\]]+)\](\[[0-9]+\])?`)

// header reads the head of a section, if the line is one.
func (p *parser) header(n int, line, text string) bool {
	m := sectionHeader.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	owners, ok := p.owners(n, len(line)-len(text)+len(m[0]), line, text[len(m[0]):])
	// A section whose owners are wrong begins all the same, without any.
	if !ok {
		owners = nil
	}
	p.section, p.defaults = strings.TrimSpace(m[1]), owners
	return true
}
