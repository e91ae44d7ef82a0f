package harvest

import (
	"github.com/waypost-dev/waypost/server/descriptor"
	"github.com/waypost-dev/waypost/server/source"
)

// includes gives the decoder what the source read for a document's placeholders;
// nil if it read nothing.
func includes(d source.Document) func(from, target string) (descriptor.Included, bool) {
	if len(d.Includes) == 0 {
		return nil
	}
	type placeholder struct{ from, target string }
	files := make(map[placeholder]descriptor.Included, len(d.Includes))
	for _, i := range d.Includes {
		files[placeholder{i.From, i.Target}] = descriptor.Included{Path: i.Path, Content: i.Content, Problem: i.Problem}
	}
	return func(from, target string) (descriptor.Included, bool) {
		file, ok := files[placeholder{from, target}]
		return file, ok
	}
}
