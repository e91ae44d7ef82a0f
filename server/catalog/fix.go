package catalog

import (
	"regexp"
	"strings"
)

// Fix is a change of one line of the file in which a problem is, that mends it.
// The zero value says that there is none that is certain.
type Fix struct {
	Line        int    `json:"line,omitempty"`        // from 1
	Found       string `json:"found,omitempty"`       // the line as it is; only the value in it, if its text is not known
	Replacement string `json:"replacement,omitempty"` // what to write in its place
}

// unfit are runs of characters that neither a name nor a tag nor a label may hold.
var (
	unfit    = regexp.MustCompile(`[^A-Za-z0-9_.]+`)
	unfitTag = regexp.MustCompile(`[^a-z0-9:+#]+`)
	unfitNS  = regexp.MustCompile(`[^a-z0-9]+`)
)

// Suggest returns what to write in place of a text that violates a rule: what
// was most likely meant, and obeys the rule. It is empty if that is not clear.
func (v Violation) Suggest(found string) string {
	var written string
	var check func(string) string
	at := func(i int) string {
		if i < len(v.Path) {
			return v.Path[i]
		}
		return ""
	}
	dashed := func(s string, not *regexp.Regexp) string { return strings.Trim(not.ReplaceAllString(s, "-"), "-_.") }
	switch {
	case v.Key && len(v.Path) == 1:
		return nearest(found, rootFields)
	case v.Key:
		return ""
	case at(0) == "kind" && v.Code == CodeUnknownKind:
		return nearest(found, Kinds())
	case at(0) != "metadata" || v.Code != CodeField:
		return ""
	case at(1) == "name":
		written, check = dashed(found, unfit), CheckName
	case at(1) == "namespace":
		written, check = dashed(strings.ToLower(found), unfitNS), checkNamespace
	case at(1) == "tags":
		written, check = strings.Trim(unfitTag.ReplaceAllString(strings.ToLower(found), "-"), "-"), checkTag
	case at(1) == "labels" && len(v.Path) == 3:
		written, check = dashed(found, unfit), checkLabelValue
	default:
		return ""
	}
	if written == "" || written == found || check(written) != "" {
		return ""
	}
	return written
}
