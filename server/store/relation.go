package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/waypost-dev/waypost/server/catalog"
)

// Relations are kept as lines of tab-separated fields: type, kind, namespace
// and name of the target, field, line, column. Reading them as JSON would take
// longer than all the rest of Load.

const relationFields = 7

var (
	escape   = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`)
	unescape = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n")
)

// encodeRelations returns nil if there are none.
func encodeRelations(relations []catalog.Relation) []byte {
	var b []byte
	for _, r := range relations {
		for _, s := range [...]string{r.Type, r.Target.Kind, r.Target.Namespace, r.Target.Name, r.Field} {
			if strings.ContainsAny(s, "\\\t\n") {
				s = escape.Replace(s)
			}
			b = append(append(b, s...), '\t')
		}
		b = append(strconv.AppendInt(b, int64(r.Line), 10), '\t')
		b = append(strconv.AppendInt(b, int64(r.Column), 10), '\n')
	}
	return b
}

func decodeRelations(b []byte, room *room) ([]catalog.Relation, error) {
	if len(b) == 0 {
		return nil, nil
	}
	text := string(b)
	out := room.some(strings.Count(text, "\n"))
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		var f [relationFields]string
		for i := range f {
			f[i], line, _ = strings.Cut(line, "\t")
			if strings.Contains(f[i], `\`) {
				f[i] = unescape.Replace(f[i])
			}
		}
		at, err1 := strconv.Atoi(f[5])
		column, err2 := strconv.Atoi(f[6])
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("relation %q has no place", f)
		}
		out = append(out, catalog.Relation{
			Type: room.name(f[0]), Target: catalog.Ref{Kind: room.name(f[1]), Namespace: room.name(f[2]), Name: room.name(f[3])}, Field: room.name(f[4]),
			Line: at, Column: column,
		})
	}
	return out, nil
}
