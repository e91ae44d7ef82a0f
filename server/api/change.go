package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// fieldChanges tells two forms of an entity apart, by field. A list is one
// field: what moved in it is of no use to anybody.
func fieldChanges(before, after *catalog.Entity) ([]*catalogv1.FieldChange, error) {
	var was, is map[string]any
	for _, side := range []struct {
		e    *catalog.Entity
		into *map[string]any
	}{{before, &was}, {after, &is}} {
		if side.e == nil {
			continue
		}
		if err := json.Unmarshal(side.e.Document, side.into); err != nil {
			return nil, fmt.Errorf("read %s: %w", side.e.Ref, err)
		}
	}
	c := changes{}
	c.compare("", was, is)
	return c.found, c.err
}

// factChanges are the changes of facts, by the path of each.
func factChanges(list []catalog.FactChange) ([]*catalogv1.FieldChange, error) {
	var out []*catalogv1.FieldChange
	for _, c := range list {
		m := &catalogv1.FieldChange{Field: catalog.FieldPath([]string{"facts", c.Key})}
		for _, side := range []struct {
			text json.RawMessage
			into **structpb.Value
		}{{c.Old, &m.Before}, {c.New, &m.After}} {
			if len(side.text) == 0 {
				continue
			}
			var v any
			if err := json.Unmarshal(side.text, &v); err != nil {
				return nil, fmt.Errorf("read fact %s: %w", c.Key, err)
			}
			value, err := structpb.NewValue(v)
			if err != nil {
				return nil, fmt.Errorf("read fact %s: %w", c.Key, err)
			}
			*side.into = value
		}
		out = append(out, m)
	}
	return out, nil
}

type changes struct {
	found []*catalogv1.FieldChange
	err   error
}

func (c *changes) compare(path string, before, after map[string]any) {
	keys := slices.Collect(maps.Keys(before))
	for k := range after {
		if _, ok := before[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		was, had := before[k]
		is, has := after[k]
		field := fieldPath(path, k)
		wasMap, a := was.(map[string]any)
		isMap, b := is.(map[string]any)
		switch {
		case a && b, a && !has, b && !had:
			c.compare(field, wasMap, isMap)
		case !reflect.DeepEqual(was, is) || had != has:
			change := &catalogv1.FieldChange{Field: field}
			if had {
				change.Before = c.value(was)
			}
			if has {
				change.After = c.value(is)
			}
			c.found = append(c.found, change)
		}
	}
}

func (c *changes) value(v any) *structpb.Value {
	out, err := structpb.NewValue(v)
	if err != nil && c.err == nil {
		c.err = fmt.Errorf("compare entities: %w", err)
	}
	return out
}

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// fieldPath writes a path as filters and facets do.
func fieldPath(path, key string) string {
	switch {
	case path == "":
		return key
	case plainKey.MatchString(key):
		return path + "." + key
	}
	return path + "[" + strconv.Quote(key) + "]"
}
