package backstage

import (
	"net/http"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/tidwall/gjson"
)

func (c *call) facetsGET() error {
	if !c.query.Has("facet") {
		return inputError("request/query must have required property 'facet'")
	}
	raw, err := parseFilters(c.query["filter"])
	if err != nil {
		return err
	}
	return c.facets(c.query["facet"], raw, "Missing facet parameter")
}

func (c *call) facetsPOST() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	names, err := stringsOf(body, "facets")
	if err != nil {
		return err
	}
	if names == nil {
		return inputError("request/body must have required property 'facets'")
	}
	return c.facets(names, rawOf(body, "query"), "Missing or empty facets parameter")
}

// facets counts the values that the selected entities have under each key.
func (c *call) facets(names []string, predicate []byte, missing string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" })
	switch {
	case len(names) == 0:
		return inputError("%s", missing)
	case len(names) > maxKeys:
		return inputError("Invalid facets, more than %d", maxKeys)
	}
	filter, err := parsePredicate(predicate)
	if err != nil {
		return err
	}
	var needs []need
	for _, name := range names {
		if key := strings.ToLower(name); !slices.ContainsFunc(needs, func(n need) bool { return n.key == key }) {
			needs = append(needs, need{key: key})
		}
	}
	b := []byte(`{"facets":{`)
	c.table.read(filter.needs(needs), func(t *table) {
		var sel *roaring.Bitmap
		if filter != nil {
			sel = t.selected(filter)
		}
		for i, name := range names {
			if slices.Contains(names[:i], name) {
				continue
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = gjson.AppendJSONString(b, name)
			b = t.columns[strings.ToLower(name)].appendCounts(append(b, ':'), sel)
		}
	})
	c.send(http.StatusOK, append(b, "}}"...))
	return nil
}
