package ownership

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// mends are the changes that would put an ownership right, the most direct one
// of each reason first. CODEOWNERS has a patch at once; the catalog file, whose
// text is not known yet, gets it in Explain.
func mends(e *catalog.Entity, f *finding, o *Ownership, now time.Time) []Mend {
	var out []Mend
	file := func(reason, text string) {
		line := f.DeclaredLine
		if line == 0 {
			line = e.Origin.Line
		}
		out = append(out, Mend{Reason: reason, Repository: e.Origin.Repository, Path: e.Origin.Path, Line: line, Text: text})
	}
	candidate := best(o)
	named := short(candidate, e.Ref.Namespace)
	declares := e.Origin.Path != "" // else there is no file to change
	switch reason := string(o.Status); o.Status {
	case StatusDangling:
		if candidate.IsZero() {
			file(reason, "Write an owner that is in the catalog into spec.owner, or add this one.")
		} else {
			file(reason, fmt.Sprintf("Write owner: %s into the spec, or add the declared owner to the catalog.", named))
		}
	case StatusDisbanded:
		if o.Source == SourceOverride {
			out = append(out, Mend{Reason: reason, Text: "Decide on another owner here, or take the decision back."})
		} else if candidate.IsZero() {
			file(reason, "Name an owner that has active members, or add members to this one.")
		} else {
			file(reason, fmt.Sprintf("Write owner: %s into the spec, or add members to the declared owner.", named))
		}
	case StatusUnowned:
		switch {
		case candidate.IsZero():
			file(reason, "Name an owner in spec.owner, in CODEOWNERS, or here.")
		case declares:
			file(reason, fmt.Sprintf("Write owner: %s into the spec, as the evidence says.", named))
		}
	case StatusSplit:
		if declares {
			file(reason, "Name one owner in spec.owner, or give one of them more than half of the files in CODEOWNERS.")
		} else {
			file(reason, "Give one of them more than half of the files in CODEOWNERS, or decide here.")
		}
	case StatusSinglePerson:
		if o.Owner.Kind == "user" {
			file(reason, "Name a group of at least two people in spec.owner.")
		} else {
			file(reason, fmt.Sprintf("Add a second person to %s.", o.Owner.Key()))
		}
	}
	if o.Status == StatusUnowned && !candidate.IsZero() {
		if m, ok := mendCodeowners(f, candidate); ok {
			m.Reason = string(o.Status)
			out = append(out, m)
		}
	}
	if o.Drift.Standing(now) {
		file("drift", fmt.Sprintf("Write owner: %s into the spec, or dismiss this with a reason.", short(o.Drift.Evident, e.Ref.Namespace)))
	}
	for _, l := range f.Lint[:min(len(f.Lint), maxLint)] {
		out = append(out, Mend{Reason: l.Reason, Repository: f.Place.Name, Path: l.Path, Line: l.Line, Text: sentence(l.Hint)})
	}
	return out
}

// best is the owner to propose: the first candidate that evidence speaks for and
// that could be the owner.
func best(o *Ownership) catalog.Ref {
	for _, c := range o.Candidates {
		if c.fit {
			return c.Owner
		}
	}
	return catalog.Ref{}
}

// short is a ref as spec.owner is best written: without what goes without saying.
func short(r catalog.Ref, namespace string) string {
	if r.IsZero() {
		return ""
	}
	s := r.Name
	if !strings.EqualFold(r.Namespace, namespace) {
		s = r.Namespace + "/" + s
	}
	if !strings.EqualFold(r.Kind, "group") {
		s = strings.ToLower(r.Kind) + ":" + s
	}
	return s
}

// mendCodeowners proposes a line that gives the folder of an entity to an owner.
// It tells false if the file is not known, or says something of the folder
// already, which is then for a person to weigh.
func mendCodeowners(f *finding, owner catalog.Ref) (Mend, bool) {
	if !f.InRepo || owner.IsZero() {
		return Mend{}, false
	}
	name := ""
	for _, c := range f.Claims {
		if c.Source == SourceCodeowners {
			return Mend{}, false
		}
		if c.Owner == owner && strings.HasPrefix(c.Written, "@") {
			name = c.Written
		}
	}
	if name == "" {
		name = "@" + owner.Name
		if owner.Kind == "group" {
			name = "@" + ownerOf(f.Place.Name) + "/" + owner.Name
		}
	}
	had := f.Place.Codeowners
	if had == nil {
		had = &plugins.Codeowners{Path: ".github/CODEOWNERS"}
	} else if had.Content == "" {
		return Mend{}, false // too large to be read
	}
	patch := PatchCodeowners(had.Path, had.Content, f.Place.Folder, name)
	return Mend{
		Repository: f.Place.Name, Path: had.Path, Patch: patch,
		Text: fmt.Sprintf("Give %s to %s in %s.", folderName(f.Place.Folder), name, had.Path),
	}, patch != ""
}

// PatchCodeowners is a unified diff that gives a folder, "" for all of the
// repository, to an owner. The line is added at the end of the file, since the
// last one that matches counts; for all of the repository it is added at the
// top, so that what is said of parts of it stays. The diff is empty if the folder
// or owner cannot be written in CODEOWNERS.
func PatchCodeowners(file, content, folder, owner string) string {
	if strings.ContainsAny(folder, "\r\n\x00#!*?[]\\") || strings.ContainsAny(owner, " \t\r\n\x00#") || owner == "" {
		return ""
	}
	pattern := "*"
	if folder != "" {
		pattern = "/" + strings.ReplaceAll(folder, " ", `\ `) + "/"
	}
	lines := splitLines(content)
	at := len(lines)
	if folder == "" {
		at = 0
		for at < len(lines) && (strings.HasPrefix(strings.TrimSpace(lines[at]), "#") || strings.TrimSpace(lines[at]) == "") {
			at++
		}
	}
	return diff(file, lines, at, 0, []string{pattern + " " + owner}, content == "")
}

var (
	ownerLine = regexp.MustCompile(`^(\s+owner:[ \t]+)("[^"]*"|'[^']*'|[^\s#"'&*!|>{[][^#]*?)([ \t]*(?:[ \t]#.*)?)$`)
	specLine  = regexp.MustCompile(`^spec:[ \t]*(#.*)?$`)
	plainRef  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9:/._-]*[A-Za-z0-9])?$`)
)

// PatchOwner is a unified diff that writes spec.owner in a catalog file whose
// text is known. The line, from 1, is one within the entity's document, such as
// the one on which it starts. The diff is empty where the file is not written in
// the usual block style, or has that owner already, so that a person must look.
func PatchOwner(file, content string, line int, owner string) string {
	lines := splitLines(content)
	if line < 1 || line > len(lines) || !plainRef.MatchString(owner) {
		return ""
	}
	// The document reaches from one separator to the next.
	start, end := line-1, line
	for start > 0 && !strings.HasPrefix(lines[start], "---") {
		start--
	}
	for end < len(lines) && !strings.HasPrefix(lines[end], "---") {
		end++
	}
	spec := -1
	for i := start; i < end; i++ {
		if specLine.MatchString(strings.TrimSuffix(lines[i], "\r")) {
			spec = i
			break
		}
	}
	if spec < 0 {
		return ""
	}
	indent := ""
	for i := spec + 1; i < end; i++ {
		text := strings.TrimSuffix(strings.TrimSuffix(lines[i], noEnd), "\r")
		trimmed := strings.TrimLeft(text, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		depth := text[:len(text)-len(trimmed)]
		if depth == "" || trimmed[0] == '-' && indent == "" {
			break
		}
		if indent == "" {
			indent = depth
		}
		if depth != indent || !strings.HasPrefix(trimmed, "owner:") {
			continue
		}
		m := ownerLine.FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		next := m[1] + owner + m[3] + lines[i][len(text):]
		if next == lines[i] {
			return ""
		}
		return diff(file, lines, i, 1, []string{next}, false)
	}
	if indent == "" {
		return ""
	}
	added := indent + "owner: " + owner
	if strings.HasSuffix(lines[spec], "\r") {
		added += "\r"
	}
	return diff(file, lines, spec+1, 0, []string{added}, false)
}

// splitLines cuts a text into lines, the last one of which may lack its end: it
// is then marked by noEnd.
func splitLines(content string) []string {
	if content == "" {
		return nil
	}
	lines := strings.Split(content, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		return lines[:last]
	}
	lines[len(lines)-1] += noEnd
	return lines
}

// noEnd marks a last line without a line break, as diff writes one.
const noEnd = "\n\\ No newline at end of file"

// contextLines are shown around a change.
const contextLines = 3

// diff is a unified diff of one hunk: at a line, from 0, so many lines are
// replaced by others.
func diff(file string, lines []string, at, removed int, added []string, isNew bool) string {
	var b strings.Builder
	name := strings.TrimPrefix(path.Clean("/"+file), "/")
	from := max(at-contextLines, 0)
	to := min(at+removed+contextLines, len(lines))
	oldStart, newStart := from+1, from+1
	body := func(mark string, some []string) {
		for _, l := range some {
			b.WriteString(mark + l + "\n")
		}
	}
	if isNew {
		oldStart = 0
		b.WriteString("--- /dev/null\n")
	} else {
		b.WriteString("--- a/" + name + "\n")
	}
	old := to - from
	before := lines[from:at]
	gone := lines[at : at+removed]
	// What is added after a last line without a line break gives it one.
	if n := len(before); removed == 0 && n > 0 && strings.HasSuffix(before[n-1], noEnd) {
		gone = before[n-1:]
		before = before[:n-1]
		added = append([]string{strings.TrimSuffix(gone[0], noEnd)}, added...)
	}
	fmt.Fprintf(&b, "+++ b/%s\n@@ -%d,%d +%d,%d @@\n", name, oldStart, old, newStart, old-len(gone)+len(added))
	body(" ", before)
	body("-", gone)
	body("+", added)
	body(" ", lines[at+removed:to])
	return b.String()
}
