package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/waypost-dev/waypost/plugins"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

// pluginService implements PluginService.
type pluginService struct {
	pluginv1.UnimplementedPluginServiceServer
	index   *index.Index
	store   *store.Store
	plugins *enrich.Runner // nil if this server runs none
}

var errNoPlugins = refused("NO_PLUGINS", "this server runs no plugins")

func (s *pluginService) ListPlugins(ctx context.Context, _ *pluginv1.ListPluginsRequest) (*pluginv1.ListPluginsResponse, error) {
	if s.plugins == nil {
		return &pluginv1.ListPluginsResponse{}, nil
	}
	list, err := s.plugins.Status(ctx)
	if err != nil {
		return nil, err
	}
	out := &pluginv1.ListPluginsResponse{}
	for _, x := range list {
		out.Plugins = append(out.Plugins, pluginMessage(x))
	}
	return out, nil
}

func (s *pluginService) GetPlugin(ctx context.Context, req *pluginv1.GetPluginRequest) (*pluginv1.GetPluginResponse, error) {
	if s.plugins == nil {
		return nil, errNoPlugins
	}
	list, err := s.plugins.Status(ctx, req.Plugin)
	if err != nil {
		return nil, unknownPlugin(req.Plugin, err)
	}
	return &pluginv1.GetPluginResponse{Plugin: pluginMessage(list[0])}, nil
}

func (s *pluginService) ListPluginRuns(ctx context.Context, req *pluginv1.ListPluginRunsRequest) (*pluginv1.ListPluginRunsResponse, error) {
	const usual, most = 20, 100
	runs, err := s.store.PluginRuns(ctx, req.Plugin, pageSize(req.PageSize, usual, most))
	if err != nil {
		return nil, err
	}
	out := &pluginv1.ListPluginRunsResponse{}
	for _, r := range runs {
		out.Runs = append(out.Runs, &pluginv1.Run{
			Id: r.ID, Role: roleOf(r.Role), StartTime: timestamp(r.Started), EndTime: timestamp(r.Finished), Error: r.Error,
			Asked: int32(r.Asked), Answered: int32(r.Answered), Changed: int32(r.Changed), Refused: int32(r.Refused), Calls: int32(r.Calls),
		})
	}
	return out, nil
}

func (s *pluginService) RunPlugin(ctx context.Context, req *pluginv1.RunPluginRequest) (*pluginv1.RunPluginResponse, error) {
	if s.plugins == nil {
		return nil, errNoPlugins
	}
	refs := make([]catalog.Ref, len(req.Refs))
	for i, text := range req.Refs {
		ref, err := catalog.ParseRef(text, catalog.RefContext{Kind: "component"})
		if err != nil {
			return nil, badField(fmt.Sprintf("refs[%d]", i), "INVALID_REF", err.Error())
		}
		if _, ok := s.index.Snapshot().Get(ref); !ok {
			return nil, notFound("waypost.dev/Entity", resourceName(ref), "there is no entity "+refString(ref))
		}
		refs[i] = ref
	}
	n, err := s.plugins.Again(ctx, req.Plugin, refs...)
	if err != nil {
		return nil, unknownPlugin(req.Plugin, err)
	}
	return &pluginv1.RunPluginResponse{Entities: int64(n)}, nil
}

func (s *pluginService) ListFacts(ctx context.Context, req *pluginv1.ListFactsRequest) (*pluginv1.ListFactsResponse, error) {
	ref, err := parseName(req.Name)
	if err != nil {
		return nil, err
	}
	record, ok := s.index.Snapshot().Get(ref)
	if !ok {
		return nil, notFound("waypost.dev/Entity", resourceName(ref), "there is no entity "+refString(ref))
	}
	facts, err := s.store.Facts(ctx, record.Entity.UID)
	if err != nil {
		return nil, err
	}
	var types map[string]plugins.FactType
	if s.plugins != nil {
		types = s.plugins.FactTypes()
	}
	now := time.Now()
	out := &pluginv1.ListFactsResponse{}
	for _, f := range facts {
		m := &pluginv1.EntityFact{
			Key: f.Key, Value: &structpb.Value{}, ObserveTime: timestamp(f.Observed), StaleTime: timestamp(f.Stale),
			Stale: !f.Stale.IsZero() && !f.Stale.After(now), Plugin: f.Plugin, Error: f.Error,
		}
		if err := protojson.Unmarshal(f.Value, m.Value); err != nil {
			return nil, fmt.Errorf("fact %s of %s: %w", f.Key, refString(ref), err)
		}
		for _, e := range f.Evidence {
			m.Evidence = append(m.Evidence, &pluginv1.Evidence{
				Kind: e.Kind, Text: e.Text, Url: e.URL, Repository: e.Repository, Path: e.Path, Line: int32(e.Line),
				Commit: e.Commit, Query: e.Query, Weight: e.Weight,
			})
		}
		if t, ok := types[f.Key]; ok {
			m.Type = factTypeMessage(t)
		}
		out.Facts = append(out.Facts, m)
	}
	return out, nil
}

// unknownPlugin says that there is no such plugin, if that is the trouble.
func unknownPlugin(name string, err error) error {
	if errors.Is(err, enrich.ErrUnknownPlugin) {
		return notFound("waypost.dev/Plugin", "plugins/"+name, err.Error())
	}
	return err
}

var pluginStates = map[enrich.State]pluginv1.Plugin_State{
	enrich.StateOK: pluginv1.Plugin_STATE_OK, enrich.StateFailing: pluginv1.Plugin_STATE_FAILING,
	enrich.StateOpen: pluginv1.Plugin_STATE_OPEN, enrich.StateDown: pluginv1.Plugin_STATE_DOWN,
}

func roleOf(name string) pluginv1.Role {
	switch name {
	case enrich.RoleEnrich:
		return pluginv1.Role_ROLE_ENRICH
	case enrich.RoleCollect:
		return pluginv1.Role_ROLE_COLLECT
	case enrich.RoleHandle:
		return pluginv1.Role_ROLE_HANDLE
	case enrich.RoleInfer, "relate":
		return pluginv1.Role_ROLE_RELATE
	case "serve":
		return pluginv1.Role_ROLE_SERVE
	case "extend":
		return pluginv1.Role_ROLE_EXTEND
	}
	return pluginv1.Role_ROLE_UNSPECIFIED
}

func pluginMessage(x enrich.Status) *pluginv1.Plugin {
	d := x.Descriptor
	m := &pluginv1.Plugin{
		Descriptor_: &pluginv1.Descriptor{
			Name: d.Name, Version: d.Version, Summary: d.Summary, ConfigSchema: objectOf(d.Config), Events: d.Events, Kinds: d.Kinds,
			Limits: &pluginv1.Limits{Batch: int32(d.Limits.Batch), Concurrent: int32(d.Limits.Concurrent), PerSecond: d.Limits.PerSecond, Deadline: duration(d.Limits.Deadline)},
			Every:  duration(d.Every),
		},
		Remote: x.Remote, State: pluginStates[x.State], Error: x.Error, RetryTime: timestamp(x.Until),
		Entities: x.Counts.Entities, Stale: x.Counts.Stale, Failed: x.Counts.Failed, Waiting: x.Waiting,
		RunTime: timestamp(x.Ran), CollectTime: timestamp(x.Collected), Config: objectOf(x.Config),
	}
	for _, r := range x.Roles {
		m.Descriptor_.Roles = append(m.Descriptor_.Roles, roleOf(r))
	}
	for _, f := range d.Facts {
		m.Descriptor_.Facts = append(m.Descriptor_.Facts, factTypeMessage(f))
	}
	return m
}

func factTypeMessage(f plugins.FactType) *pluginv1.FactType {
	return &pluginv1.FactType{
		Key: f.Key, Title: f.Title, Description: f.Description, Schema: objectOf(f.Schema), Unit: f.Unit,
		Freshness: duration(f.Freshness), Filterable: f.Filterable, Display: string(f.Display),
	}
}

// duration is absent for none.
func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// structOf is absent for what is not a JSON object.
func objectOf(b []byte) *structpb.Struct {
	if len(b) == 0 {
		return nil
	}
	out := &structpb.Struct{}
	if protojson.Unmarshal(b, out) != nil {
		return nil
	}
	return out
}
