package ownership

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/server/catalog"
)

// census is what an answer needs to know of the catalog as a whole. It is taken
// on a schedule, and not read through the view of each entity, since every
// answer would then depend on every user and every repository.
type census struct {
	// Users is how many there are.
	Users int `json:"users"`
	// Wide are the teams of each source with access to more than wideShare of its
	// repositories, with that share.
	Wide map[string]map[string]float64 `json:"wide,omitempty"`

	// people are users by what commits say of their authors: logins and e-mail
	// addresses, in lower case.
	people map[string]catalog.Ref
}

// wideShare is the share of a source's repositories above which a team's access
// says nothing of ownership. A team that has access to one repository only is
// never wide, however few there are.
const wideShare = 0.3

// The records of the census. People are in parts, as a record is bounded.
const (
	censusSummary = "census/summary"
	censusPeople  = "census/people/"
	peoplePart    = 4000 // of at most 254 + 2 × 63 + 10 bytes each, when kept
	maxAlias      = 254  // bytes, as of an e-mail address
)

// censusKept is how long a census is used before it is read again, in case
// another replica took one.
const censusKept = time.Minute

// takeCensus goes through the catalog.
func takeCensus(v plugins.View, kinds []string) *census {
	c := &census{people: map[string]catalog.Ref{}, Wide: map[string]map[string]float64{}}
	v.Each("user", func(e *catalog.Entity) bool {
		c.Users++
		ref := e.Ref.Lower()
		for _, alias := range []string{e.Ref.Name, e.Annotation(annotationUser), e.Text("spec.profile.email")} {
			if alias = strings.ToLower(alias); alias != "" && len(alias) <= maxAlias {
				keep(c.people, alias, ref)
			}
		}
		return true
	})
	type repository struct{ source, name string }
	seen := map[repository]bool{}
	total := map[string]int{}
	access := map[string]map[string]int{}
	for _, kind := range kinds {
		v.Each(kind, func(e *catalog.Entity) bool {
			o := repository{e.Origin.Source, e.Origin.Repository}
			if o.name == "" || seen[o] {
				return true
			}
			seen[o] = true
			r, ok := v.Repository(e)
			if !ok {
				return true
			}
			total[o.source]++
			for team := range r.Teams {
				if access[o.source] == nil {
					access[o.source] = map[string]int{}
				}
				access[o.source][team]++
			}
			return true
		})
	}
	for source, teams := range access {
		for team, n := range teams {
			if share := float64(n) / float64(total[source]); n > 1 && share > wideShare {
				if c.Wide[source] == nil {
					c.Wide[source] = map[string]float64{}
				}
				c.Wide[source][team] = share
			}
		}
	}
	return c
}

// store keeps the census, as far as it changed.
func (c *census) store(ctx context.Context, to plugins.Records) error {
	parts := []map[string]string{}
	for alias, ref := range c.people {
		if len(parts) == 0 || len(parts[len(parts)-1]) >= peoplePart {
			parts = append(parts, map[string]string{})
		}
		parts[len(parts)-1][alias] = ref.Key()
	}
	had, err := list(ctx, to, censusPeople)
	if err != nil {
		return err
	}
	if !c.samePeople(had) {
		for i, part := range parts {
			key := fmt.Sprintf("%s%04d", censusPeople, i)
			if err := to.Put(ctx, key, part, 0); err != nil {
				return fmt.Errorf("keep the record %s: %w", key, err)
			}
			delete(had, key)
		}
		for key := range had {
			if err := to.Delete(ctx, key); err != nil {
				return fmt.Errorf("delete the record %s: %w", key, err)
			}
		}
	}
	if err := to.Put(ctx, censusSummary, c, 0); err != nil {
		return fmt.Errorf("keep the record %s: %w", censusSummary, err)
	}
	return nil
}

func (c *census) samePeople(parts map[string]json.RawMessage) bool {
	had := readPeople(parts)
	if len(had) != len(c.people) {
		return false
	}
	for alias, ref := range c.people {
		if had[alias] != ref {
			return false
		}
	}
	return true
}

func readPeople(parts map[string]json.RawMessage) map[string]catalog.Ref {
	out := map[string]catalog.Ref{}
	for _, part := range parts {
		var people map[string]string
		if json.Unmarshal(part, &people) != nil {
			continue // the next census writes it anew
		}
		for alias, key := range people {
			if ref, err := catalog.ParseRef(key, catalog.RefContext{}); err == nil {
				out[alias] = ref
			}
		}
	}
	return out
}

// loadCensus reads the census that was kept last. It is empty if none was.
func loadCensus(ctx context.Context, from plugins.Records) (*census, error) {
	c := &census{}
	record, err := from.Get(ctx, censusSummary)
	if err != nil && !errors.Is(err, plugins.ErrNoRecord) {
		return nil, fmt.Errorf("read the record %s: %w", censusSummary, err)
	}
	if len(record.Value) > 0 {
		if err := json.Unmarshal(record.Value, c); err != nil {
			return nil, fmt.Errorf("read the record %s: %w", censusSummary, err)
		}
	}
	parts, err := list(ctx, from, censusPeople)
	if err != nil {
		return nil, err
	}
	c.people = readPeople(parts)
	return c, nil
}

// same tells whether two censuses lead to the same owners. By how much a team is
// too wide is left aside, as it changes with every repository, and so are people:
// who somebody is tells only in time, as work does.
func (c *census) same(other *census) bool {
	teams := func(a, b map[string]float64) bool {
		return maps.EqualFunc(a, b, func(float64, float64) bool { return true })
	}
	return maps.EqualFunc(c.Wide, other.Wide, teams) && (c.Users == 0) == (other.Users == 0)
}
