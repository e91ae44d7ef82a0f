package api

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
)

// Bounds of a read mask.
const (
	maxMaskPaths = 100
	maxMaskDepth = 10
)

// mask is a read mask as a tree; a leaf keeps everything below it.
type mask map[string]mask

// parseMask reads a mask over Entity. Paths may go into maps and into spec by
// key (metadata.labels.tier, spec.owner), as AIP-161 has it, and may name
// fields as proto or as JSON does. It returns nil, which keeps everything, for
// an empty mask and for *.
func parseMask(m *fieldmaskpb.FieldMask) (mask, error) {
	if len(m.GetPaths()) > maxMaskPaths {
		return nil, badField("read_mask", "INVALID_MASK", fmt.Sprintf("has %d paths; at most %d are allowed", len(m.GetPaths()), maxMaskPaths))
	}
	var root mask
	for _, path := range m.GetPaths() {
		if path == "*" {
			return nil, nil
		}
		path = strings.TrimSpace(path)
		if path == "" {
			continue
		}
		steps := strings.Split(path, ".")
		if len(steps) > maxMaskDepth {
			return nil, badField("read_mask", "INVALID_MASK", fmt.Sprintf("path %.100q has more than %d steps", path, maxMaskDepth))
		}
		if err := resolve(steps, path); err != nil {
			return nil, err
		}
		if root == nil {
			root = mask{}
		}
		root.add(steps)
	}
	return root, nil
}

func (m mask) add(steps []string) {
	below, known := m[steps[0]]
	switch {
	case known && below == nil: // all of it already
	case len(steps) == 1:
		m[steps[0]] = nil
	default:
		if below == nil {
			below = mask{}
			m[steps[0]] = below
		}
		below.add(steps[1:])
	}
}

// resolve checks a path and gives its steps their proto names.
func resolve(steps []string, path string) error {
	d := (*catalogv1.Entity)(nil).ProtoReflect().Descriptor()
	for i := range steps {
		f := d.Fields().ByName(protoreflect.Name(steps[i]))
		if f == nil {
			f = d.Fields().ByJSONName(steps[i])
		}
		if f == nil {
			names := make([]string, d.Fields().Len())
			for j := range names {
				names[j] = string(d.Fields().Get(j).Name())
			}
			return badField("read_mask", "INVALID_MASK",
				fmt.Sprintf("path %.100q names the unknown field %.100q; %s has %s", path, steps[i], d.Name(), strings.Join(names, ", ")))
		}
		steps[i] = string(f.Name())
		if f.IsMap() || (f.Message() != nil && f.Message().FullName() == "google.protobuf.Struct") {
			return nil // the rest are keys
		}
		if i+1 == len(steps) {
			return nil
		}
		if f.IsList() || f.Message() == nil {
			return badField("read_mask", "INVALID_MASK", fmt.Sprintf("path %.100q goes below %s, which has no fields of its own here", path, f.Name()))
		}
		d = f.Message()
	}
	return nil
}

// wants tells whether the mask keeps anything of a field of Entity.
func (m mask) wants(field string) bool {
	if m == nil {
		return true
	}
	_, ok := m[field]
	return ok
}

// String is the same for masks that keep the same.
func (m mask) String() string {
	var b strings.Builder
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(key))
		if below := m[key]; below != nil {
			b.WriteString("{" + below.String() + "}")
		}
	}
	return b.String()
}

// prune clears what the mask does not keep.
func (m mask) prune(p proto.Message) {
	if s, ok := p.(*structpb.Struct); ok {
		m.pruneStruct(s)
		return
	}
	r := p.ProtoReflect()
	r.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		below, kept := m[string(f.Name())]
		switch {
		case !kept:
			r.Clear(f)
		case below == nil:
		case f.IsMap():
			v.Map().Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
				if _, kept := below[k.String()]; !kept {
					v.Map().Clear(k)
				}
				return true
			})
		default:
			below.prune(v.Message().Interface())
		}
		return true
	})
}

func (m mask) pruneStruct(s *structpb.Struct) {
	for k, v := range s.Fields {
		below, kept := m[k]
		if !kept {
			delete(s.Fields, k)
		} else if inner := v.GetStructValue(); below != nil && inner != nil {
			below.pruneStruct(inner)
		}
	}
}
