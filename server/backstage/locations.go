package backstage

import (
	"context"
	"crypto/sha1" //nolint:gosec // it names an entity as Backstage does, and guards nothing
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/store"
)

// place is a registered location as Backstage shows it.
type place struct {
	ID     string `json:"id"`
	Type   string `json:"type"`
	Target string `json:"target"`
	Ref    string `json:"entityRef"`
}

func placeOf(l store.Location) place {
	p := place{ID: l.ID}
	p.Type, p.Target, _ = strings.Cut(l.Target, ":")
	p.Ref = "location:default/" + generatedName(l.Target)
	return p
}

// generatedName is the name that Backstage gives the Location entity of a
// registered location.
func generatedName(ref string) string {
	sum := sha1.Sum([]byte(ref)) //nolint:gosec // as above
	return "generated-" + hex.EncodeToString(sum[:])
}

// maxListed bounds the registered locations of one answer.
const maxListed = 10_000

func (c *call) allLocations() ([]place, error) {
	if c.o.Locations == nil {
		return []place{}, nil
	}
	list, err := c.o.Locations.List(c.r.Context(), "", maxListed)
	if err != nil {
		return nil, err
	}
	out := make([]place, len(list))
	for i, l := range list {
		out[i] = placeOf(l)
	}
	return out, nil
}

func (c *call) listLocations() error {
	list, err := c.allLocations()
	if err != nil {
		return err
	}
	type item struct {
		Data place `json:"data"`
	}
	out := make([]item, len(list))
	for i, p := range list {
		out[i].Data = p
	}
	c.json(http.StatusOK, out)
	return nil
}

func (c *call) location(id string) (store.Location, error) {
	missing := notFound("Found no location with ID %s", clip(id))
	if c.o.Locations == nil || id == "" {
		return store.Location{}, missing
	}
	l, err := c.o.Locations.Get(c.r.Context(), id, "")
	if errors.Is(err, store.ErrNotFound) {
		return store.Location{}, missing
	}
	return l, err
}

func (c *call) locationByID() error {
	l, err := c.location(c.path[1])
	if err != nil {
		return err
	}
	c.json(http.StatusOK, placeOf(l))
	return nil
}

func (c *call) locationByEntity() error {
	ref := catalog.Ref{Kind: c.path[2], Namespace: c.path[3], Name: c.path[4]}
	r, ok := c.view.snapshot().Get(ref)
	if !ok {
		return notFound("found no entity for ref %s", clip(ref.Key()))
	}
	origin := annotation(r, "backstage.io/managed-by-origin-location")
	typ, target, ok := strings.Cut(origin, ":")
	if !ok {
		return notFound("no origin annotation for ref %s", clip(ref.Key()))
	}
	missing := notFound("Found no location with type %s and target %s", typ, target)
	if c.o.Locations == nil {
		return missing
	}
	l, err := c.o.Locations.Get(c.r.Context(), "", origin)
	if errors.Is(err, store.ErrNotFound) {
		return missing
	}
	if err != nil {
		return err
	}
	c.json(http.StatusOK, placeOf(l))
	return nil
}

// locationInput reads the location of a body.
func locationInput(body gjson.Result, at string) (typ, target string, err error) {
	if typ, err = required(body, at, "type"); err != nil {
		return "", "", err
	}
	if target, err = required(body, at, "target"); err != nil {
		return "", "", err
	}
	body.ForEach(func(k, _ gjson.Result) bool {
		if k.Str != "type" && k.Str != "target" && k.Str != "presence" {
			err = inputError("Malformed request: Unrecognized key(s) in object: '%s'", clip(k.Str))
		}
		return err == nil
	})
	return typ, target, err
}

func onlyURLs(typ string) error {
	if typ != "url" {
		return inputError(`Registered locations must be of an allowed type ["url"]`)
	}
	return nil
}

// urlLocation is the location in the body of a request, of a type that callers may
// register.
func (c *call) urlLocation() (typ, target string, err error) {
	body, err := c.body()
	if err != nil {
		return "", "", err
	}
	if typ, target, err = locationInput(body, "body"); err != nil {
		return "", "", err
	}
	return typ, target, onlyURLs(typ)
}

func (c *call) createLocation() error {
	typ, target, err := c.urlLocation()
	if err != nil {
		return err
	}
	dryRun := false
	switch strings.ToLower(c.query.Get("dryRun")) {
	case "true", "yes", "y", "1", "on":
		dryRun = true
	}
	onConflict := c.query.Get("onConflict")
	if onConflict != "" && onConflict != "refresh" && onConflict != "reject" {
		return inputError("request/query/onConflict must be equal to one of the allowed values: refresh, reject")
	}
	if c.o.Locations == nil {
		return &failure{http.StatusForbidden, "NotAllowedError", "This server registers no locations"}
	}
	ref := typ + ":" + target
	done, err := c.o.Locations.Register(c.r.Context(), ref, "", dryRun)
	if errors.Is(err, store.ErrExists) {
		return c.conflict(ref, dryRun, onConflict == "refresh")
	}
	if err != nil {
		return c.locationError(target, err)
	}
	if dryRun {
		return c.dryRun(done)
	}
	c.wait(done.Revision)
	c.json(http.StatusCreated, map[string]any{"location": placeOf(done.Location), "entities": []any{}})
	return nil
}

// conflict answers for a location that is harvested already.
func (c *call) conflict(ref string, dryRun, refresh bool) error {
	l, err := c.o.Locations.Get(c.r.Context(), "", ref)
	switch {
	case errors.Is(err, store.ErrNotFound):
		l = store.Location{ID: ref, Target: ref} // of the configuration
	case err != nil:
		return err
	}
	if dryRun {
		c.json(http.StatusCreated, map[string]any{"exists": true, "location": placeOf(l), "entities": []any{}})
		return nil
	}
	if !refresh {
		return &failure{http.StatusConflict, "ConflictError", "Location " + clip(ref) + " already exists"}
	}
	if c.o.Refresh != nil {
		if err := c.o.Refresh(c.r.Context(), l.Target); err != nil {
			return err
		}
	}
	c.json(http.StatusCreated, map[string]any{"location": placeOf(l), "entities": []any{}})
	return nil
}

// dryRun shows what a location would bring. One thing wrong with it is told as an
// error, as in Backstage.
func (c *call) dryRun(done locations.Registered) error {
	for _, p := range done.Problems {
		if p.Severity == catalog.SeverityError {
			return inputError("InputError: %s", p.Error())
		}
	}
	l := done.Location
	l.ID = l.Target
	_, target, _ := strings.Cut(l.Target, ":")
	type object = map[string]any
	entities := []any{object{
		"apiVersion": "backstage.io/v1alpha1", "kind": "Location",
		"metadata": object{
			"name": generatedName(l.Target), "namespace": "default",
			"annotations": object{
				"backstage.io/managed-by-location": l.Target, "backstage.io/managed-by-origin-location": l.Target, "backstage.io/view-url": target,
			},
		},
		"spec": object{"type": "url", "target": target},
	}}
	for _, e := range done.Entities {
		entities = append(entities, json.RawMessage(e.Document))
	}
	c.json(http.StatusCreated, object{"exists": false, "location": placeOf(l), "entities": entities})
	return nil
}

// locationError tells what is wrong with a target in Backstage's words where it
// has words for it.
func (c *call) locationError(target string, err error) error {
	var wrong *locations.TargetError
	switch {
	case !errors.As(err, &wrong):
		return err
	case errors.Is(err, locations.ErrNotAllowed):
		return inputError("Error: Unable to read url, Reading from '%s' is not allowed. You may need to configure an integration for the target host, or add it to the configured list of allowed hosts at 'backend.reading.allow'", clip(target))
	case errors.Is(err, locations.ErrUnreadable) && strings.Contains(wrong.Message, "404"):
		return inputError("NotFoundError: Unable to read url, no matching files found for %s", clip(target))
	}
	return inputError("Error: Unable to read url, %s", wrong.Error())
}

func (c *call) updateLocation() error {
	typ, target, err := c.urlLocation()
	if err != nil {
		return err
	}
	if _, err := c.location(c.path[1]); err != nil {
		return err
	}
	done, err := c.o.Locations.Update(c.r.Context(), c.path[1], typ+":"+target)
	switch {
	case errors.Is(err, store.ErrExists):
		return &failure{http.StatusConflict, "ConflictError", "Location " + clip(typ+":"+target) + " already exists"}
	case err != nil:
		return c.locationError(target, err)
	}
	c.wait(done.Revision)
	c.json(http.StatusOK, placeOf(done.Location))
	return nil
}

func (c *call) deleteLocation() error {
	if _, err := c.location(c.path[1]); err != nil {
		return err
	}
	revision, err := c.o.Locations.Delete(c.r.Context(), c.path[1])
	if errors.Is(err, store.ErrNotFound) {
		return notFound("Found no location with ID %s", clip(c.path[1]))
	}
	if err != nil {
		return err
	}
	c.wait(revision)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxWait bounds how long a call that wrote waits for the index to follow.
const maxWait = 5 * time.Second

// wait returns when what was written can be read here. The write is done
// whatever happens, so it is no error if that takes too long.
func (c *call) wait(revision catalog.Revision) {
	ctx, cancel := context.WithTimeout(c.r.Context(), maxWait)
	defer cancel()
	c.view.stale.Store(true)
	if err := c.o.Index.Wait(ctx, revision); err != nil {
		c.log.Debug("the index does not follow", "revision", revision, "error", err)
	}
}

// locationCursor continues POST /locations/by-query.
type locationCursor struct {
	Limit   int             `json:"limit"`
	AfterID string          `json:"afterId,omitempty"`
	Query   json.RawMessage `json:"query,omitempty"`
}

const defaultLocations = 1000

func (c *call) queryLocations() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	at := locationCursor{Query: rawOf(body, "query")}
	if x := body.Get("cursor"); x.Exists() {
		if x.Type != gjson.String || x.Str == "" {
			return inputError("Cursor cannot be empty")
		}
		b, err := decodeBase64(x.Str)
		at = locationCursor{}
		if err != nil || len(b) > maxCursor || json.Unmarshal(b, &at) != nil {
			return inputError("Malformed cursor, unknown encoding")
		}
	} else if at.Limit, err = whole(body, "limit", defaultLocations); err != nil {
		return err
	}
	if at.Limit < 1 {
		return inputError("Limit must be a positive integer >= 1")
	}
	filter, err := parsePredicate(at.Query)
	if err != nil {
		return err
	}
	all, err := c.allLocations()
	if err != nil {
		return err
	}
	items, total, begun, more := []place{}, 0, at.AfterID == "", false
	for _, p := range all {
		if filter.holds(p) {
			total++
			switch {
			case !begun:
			case len(items) < at.Limit:
				items = append(items, p)
			default:
				more = true
			}
		}
		begun = begun || p.ID == at.AfterID
	}
	info := map[string]string{}
	if more {
		at.AfterID = items[len(items)-1].ID
		b, err := json.Marshal(at)
		if err != nil {
			return fmt.Errorf("write a cursor: %w", err)
		}
		info["nextCursor"] = base64.StdEncoding.EncodeToString(b)
	}
	c.json(http.StatusOK, map[string]any{"items": items, "totalItems": total, "pageInfo": info})
	return nil
}

// holds tells whether a filter, nil for any, is true for a location.
func (c *cond) holds(p place) bool {
	if c == nil {
		return true
	}
	value, known := map[string]string{"id": p.ID, "type": p.Type, "target": p.Target, "entityref": p.Ref}[c.key]
	value = strings.ToLower(value)
	switch c.op {
	case opAll:
		for _, a := range c.args {
			if !a.holds(p) {
				return false
			}
		}
		return true
	case opAny:
		for _, a := range c.args {
			if a.holds(p) {
				return true
			}
		}
		return false
	case opNot:
		return !c.args[0].holds(p)
	case opExists:
		return known
	case opPrefix:
		return known && strings.HasPrefix(value, c.values[0])
	}
	for _, v := range c.values {
		if known && v == value {
			return true
		}
	}
	return false
}
