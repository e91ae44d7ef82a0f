package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/plugintest"
	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// world is a catalog in memory, as a host shows it.
type world struct {
	entities  map[string]*catalog.Entity
	records   map[string]plugins.Record
	refreshed []catalog.Ref
	now       time.Time
}

func (w *world) add(ref, spec, facts string) {
	r, err := catalog.ParseRef(ref, catalog.RefContext{})
	if err != nil {
		panic(err)
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(spec), &fields); err != nil {
		panic(err)
	}
	e, _ := catalog.NewEntity("backstage.io/v1alpha1", r.Kind, map[string]any{"name": r.Name}, fields, catalog.Origin{
		Source: "test:x", Repository: "acme/shop", Path: "services/" + r.Name + "/catalog-info.yaml", Line: 1,
	})
	if facts != "" {
		e.Facts = []byte(facts)
	}
	w.entities[r.Key()] = e
}

func (w *world) Records() plugins.Records                { return w }
func (w *world) Source() plugins.Inspector               { return w }
func (w *world) View(context.Context) plugins.View       { return w }
func (w *world) Refresh(refs ...catalog.Ref)             { w.refreshed = append(w.refreshed, refs...) }
func (w *world) Now() time.Time                          { return w.now }
func (w *world) Each(string, func(*catalog.Entity) bool) {}

func (w *world) Select(_ context.Context, filter string) ([]*catalog.Entity, error) {
	if filter != "" {
		return nil, fmt.Errorf("a filter: %s", filter)
	}
	var out []*catalog.Entity
	for _, e := range w.entities {
		out = append(out, e)
	}
	return out, nil
}

func (w *world) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	e, ok := w.entities[ref.Key()]
	return e, ok
}

func (w *world) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	var out []catalog.Relation
	for _, e := range w.entities {
		for _, r := range e.Relations {
			if e.Ref.Key() == ref.Key() {
				out = append(out, r)
			}
			if inverse := catalog.Inverse(r.Type); r.Target.Key() == ref.Key() && inverse != "" {
				out = append(out, catalog.Relation{Type: inverse, Target: e.Ref})
			}
		}
	}
	return plugins.OfTypes(out, types)
}

func (w *world) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	return plugins.Repository{Source: "test:x", ID: "1", Name: "acme/shop", Commit: "c0ffee", RepositoryFacts: plugins.RepositoryFacts{
		URL: "https://github.com/acme/shop", Codeowners: &plugins.Codeowners{Path: "CODEOWNERS", Hash: "1", Content: "* @acme/web\n/services/pay/\n"},
	}}, e.Origin.Repository != ""
}

func (w *world) Files(context.Context, plugins.Repository, string) ([]string, error) {
	return nil, plugins.ErrNotGiven
}

func (w *world) Text(context.Context, plugins.Repository, string) (string, error) {
	return "", plugins.ErrNotGiven
}

func (w *world) Commits(context.Context, plugins.Repository, string, time.Time, int) ([]plugins.Commit, error) {
	return nil, plugins.ErrNotGiven
}

func (w *world) Get(_ context.Context, key string) (plugins.Record, error) {
	r, ok := w.records[key]
	if !ok {
		return r, plugins.ErrNoRecord
	}
	return r, nil
}

func (w *world) List(_ context.Context, prefix, after string, _ int) ([]plugins.Record, error) {
	var out []plugins.Record
	for _, key := range slices.Sorted(maps.Keys(w.records)) {
		if strings.HasPrefix(key, prefix) && key > after {
			out = append(out, w.records[key])
		}
	}
	return out, nil
}

func (w *world) Put(_ context.Context, key string, value any, _ int64) error {
	b, err := json.Marshal(value)
	w.records[key] = plugins.Record{Key: key, Value: b, Version: w.records[key].Version + 1, Updated: w.now}
	return err
}

func (w *world) Delete(_ context.Context, key string) error {
	delete(w.records, key)
	return nil
}

func newWorld(t *testing.T) (*world, *Plugin) {
	w := &world{entities: map[string]*catalog.Entity{}, records: map[string]plugins.Record{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	w.add("Group:default/all", `{"type":"org","children":[],"lead":"ada"}`, "")
	w.add("Group:default/web", `{"type":"team","children":[],"parent":"all","members":["bob","cyn"]}`, "")
	w.add("Group:default/pay", `{"type":"team","children":[],"parent":"web","members":["bob","cyn"]}`, "")
	w.add("User:default/bob", `{"memberOf":["web"]}`, "")
	w.add("User:default/cyn", `{"memberOf":["pay"]}`, "")
	owned := `{"ownership.owner":"group:default/%s","ownership.source":"declared","ownership.status":"owned","ownership.confidence":0.95}`
	w.add("Component:default/web", `{"type":"service","lifecycle":"production","owner":"web","system":"shop"}`, fmt.Sprintf(owned, "web"))
	w.add("Component:default/pay", `{"type":"service","lifecycle":"production","owner":"pay"}`, fmt.Sprintf(owned, "pay"))
	w.add("Component:default/lost", `{"type":"service","lifecycle":"production","owner":""}`, `{"ownership.source":"none","ownership.status":"unowned"}`)
	w.add("System:default/shop", `{"owner":"web","domain":"trade"}`, fmt.Sprintf(owned, "web"))
	p := New()
	require.NoError(t, p.Configure(t.Context(), json.RawMessage("null"), w))
	return w, p
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t)
	const name = "entities/component:default/web"
	set := func(owner string, expires *timestamppb.Timestamp) (*ownershipv1.Ownership, error) {
		r, err := p.SetOwnershipOverride(t.Context(), &ownershipv1.SetOwnershipOverrideRequest{Name: name, Owner: owner, Reason: "moved", Actor: "ada", ExpireTime: expires})
		return r.GetOwnership(), err
	}
	o, err := set("pay", nil)
	require.NoError(t, err)
	require.Equal(t, "group:default/pay override", o.OwnerRef+" "+o.Source)
	require.Contains(t, w.refreshed, catalog.Ref{Kind: "component", Namespace: "default", Name: "web"})
	_, err = set("nobody", nil)
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	_, err = set("pay", timestamppb.New(w.now.Add(-time.Hour)))
	require.Equal(t, codes.InvalidArgument, status.Code(err))

	v, err := p.VerifyOwnership(t.Context(), &ownershipv1.VerifyOwnershipRequest{Name: name, Actor: "bob"})
	require.NoError(t, err)
	require.Equal(t, ownershipv1.Verification_STATE_VERIFIED, v.Ownership.Verification.State)
	d, err := p.DeleteOwnershipOverride(t.Context(), &ownershipv1.DeleteOwnershipOverrideRequest{Name: name})
	require.NoError(t, err)
	require.Equal(t, "group:default/web declared", d.Ownership.OwnerRef+" "+d.Ownership.Source)
	require.NotEqual(t, ownershipv1.Verification_STATE_VERIFIED, d.Ownership.Verification.State, "another owner has not verified it")
	_, err = p.DismissDrift(t.Context(), &ownershipv1.DismissDriftRequest{Name: name, Reason: "x", Actor: "ada"})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	_, err = p.ExplainOwnership(t.Context(), &ownershipv1.ExplainOwnershipRequest{Name: "component:default/none"})
	require.Equal(t, codes.NotFound, status.Code(err))
	trail, err := w.List(t.Context(), "audit/", "", 100)
	require.NoError(t, err)
	require.NotEmpty(t, trail, "decisions leave a trail")
}

func TestReport(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t)
	_, err := p.Collect(t.Context(), w)
	require.NoError(t, err)
	r, err := p.GetOwnershipReport(t.Context(), &ownershipv1.GetOwnershipReportRequest{Days: 7})
	require.NoError(t, err)
	require.Equal(t, int64(4), r.Total.Entities)
	require.Equal(t, int64(3), r.Total.Owned)
	require.Equal(t, map[string]int64{"owned": 3, "unowned": 1}, r.Total.Statuses)
	var rows []string
	for _, list := range [][]*ownershipv1.CoverageRow{r.Groups, r.Systems, r.Domains, r.Kinds} {
		for _, x := range list {
			rows = append(rows, fmt.Sprint(x.Of, " ", x.Coverage.Entities, " ", x.LeadRef))
		}
	}
	require.Equal(t, []string{
		"group:default/pay 1 user:default/ada", "group:default/web 2 user:default/ada", "system:default/shop 1 ", "domain:default/trade 2 ", "component 3 ", "system 1 ",
	}, rows)
	require.Len(t, r.Unowned, 1)
	require.Len(t, r.Samples, 1)
	_, err = p.GetOwnershipReport(t.Context(), &ownershipv1.GetOwnershipReportRequest{Filter: "x"})
	require.Error(t, err)
}

func TestListOwned(t *testing.T) {
	t.Parallel()
	_, p := newWorld(t)
	for request, want := range map[string]int{"group:default/all": 3, "group:default/web": 3, "group:default/pay": 1, "user:default/cyn": 3, "user:default/bob": 3} {
		r, err := p.ListOwned(t.Context(), &ownershipv1.ListOwnedRequest{Name: "entities/" + request})
		require.NoError(t, err)
		require.Len(t, r.Owned, want, request)
	}
	r, err := p.ListOwned(t.Context(), &ownershipv1.ListOwnedRequest{Name: "entities/group:default/web", Direct: true})
	require.NoError(t, err)
	require.Len(t, r.Owned, 2)
}

func TestFindOwner(t *testing.T) {
	t.Parallel()
	_, p := newWorld(t)
	for _, address := range []string{
		"acme/shop", "https://github.com/acme/shop", "https://github.com/acme/shop.git", "git@github.com:acme/shop.git", "https://gitlab.example/acme/shop/-/tree/main/services/web",
	} {
		r, err := p.FindOwner(t.Context(), &ownershipv1.FindOwnerRequest{Repository: address, Path: "services/web/main.go"})
		require.NoError(t, err, address)
		require.Equal(t, []string{"@acme/web"}, r.Codeowners)
		require.Equal(t, int32(1), r.CodeownersEvidence.Line)
		require.Len(t, r.Entities, 1)
		require.Equal(t, "component:default/web", r.Entities[0].EntityRef)
	}
	r, err := p.FindOwner(t.Context(), &ownershipv1.FindOwnerRequest{Repository: "https://github.com/acme/shop/blob/main/services/pay/x.go"})
	require.NoError(t, err)
	require.Equal(t, "services/pay/x.go", r.Path)
	require.Empty(t, r.Codeowners)
	require.Equal(t, int32(2), r.CodeownersEvidence.Line, "a line without owners says 'nobody'")
	_, err = p.FindOwner(t.Context(), &ownershipv1.FindOwnerRequest{Repository: "acme/none"})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = p.FindOwner(t.Context(), &ownershipv1.FindOwnerRequest{Repository: "x"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// TestPlugin holds the plugin to what every plugin is held to.
func TestPlugin(t *testing.T) {
	t.Parallel()
	w, _ := newWorld(t)
	repository, _ := w.Repository(w.entities["component:default/web"])
	plugintest.Run(t, func(*testing.T) plugins.Plugin { return New() }, plugintest.Options{
		Config: json.RawMessage(`{"inheritance":"APPEND"}`), Host: w,
		Entities:     []*catalog.Entity{w.entities["component:default/web"], w.entities["component:default/pay"], w.entities["component:default/lost"]},
		Repositories: map[string]plugins.Repository{repository.Name: repository},
	})
}
