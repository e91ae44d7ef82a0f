package remote

import (
	"context"
	"encoding/json"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/waypost-dev/waypost/plugins"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Serve makes this process the plugin, and does not return until the server ends
// it. Started by hand it says what it is and exits.
//
// The plugin sees less than a built-in one: a view shows the entity that is
// asked about, its relations and its repository, and nothing else; an entity
// carries no Relations of its own; CODEOWNERS comes without its content; and the
// Host answers plugins.ErrNotGiven. Roles Server and Extender are not served.
func Serve(p plugins.Plugin) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         goplugin.PluginSet{dispensed: link{server: &service{p: p}}},
		GRPCServer: func(o []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(o, grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))...)
		},
	})
}

// service serves a plugin.
type service struct {
	pluginv1.UnimplementedRemoteServiceServer
	p plugins.Plugin
}

func (s *service) Describe(context.Context, *pluginv1.DescribeRequest) (*pluginv1.DescribeResponse, error) {
	d, err := descriptorTo(s.p)
	if err != nil {
		return nil, err
	}
	return &pluginv1.DescribeResponse{Descriptor_: d}, nil
}

func (s *service) Configure(ctx context.Context, r *pluginv1.ConfigureRequest) (*pluginv1.ConfigureResponse, error) {
	if p, ok := s.p.(plugins.Configurer); ok {
		config := json.RawMessage("null")
		if r.GetConfig() != nil {
			var err error
			if config, err = jsonOf(r.GetConfig()); err != nil {
				return nil, err
			}
		}
		if err := p.Configure(ctx, config, noHost{}); err != nil {
			return nil, err
		}
	}
	return &pluginv1.ConfigureResponse{}, nil
}

func (s *service) Enrich(ctx context.Context, r *pluginv1.EnrichRequest) (*pluginv1.EnrichResponse, error) {
	p, ok := s.p.(plugins.Enricher)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "the plugin has no such role")
	}
	subjects := make([]plugins.Subject, 0, len(r.GetSubjects()))
	for _, w := range r.GetSubjects() {
		subject, err := subjectFrom(w)
		if err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "read the subject %.300q: %v", w.GetRef(), err)
		}
		subjects = append(subjects, subject)
	}
	answers, err := p.Enrich(ctx, subjects)
	if err != nil {
		return nil, err
	}
	out := &pluginv1.EnrichResponse{}
	for _, a := range answers {
		out.Answers = append(out.Answers, answerTo(a))
	}
	return out, nil
}

func (s *service) Collect(ctx context.Context, _ *pluginv1.CollectRequest) (*pluginv1.CollectResponse, error) {
	p, ok := s.p.(plugins.Collector)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "the plugin has no such role")
	}
	refs, err := p.Collect(ctx, &view{})
	if err != nil {
		return nil, err
	}
	return &pluginv1.CollectResponse{Refs: texts(refs)}, nil
}

func (s *service) Handle(ctx context.Context, r *pluginv1.HandleRequest) (*pluginv1.HandleResponse, error) {
	p, ok := s.p.(plugins.Handler)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "the plugin has no such role")
	}
	payload, err := jsonOf(r.GetPayload())
	if err != nil {
		return nil, err
	}
	refs, err := p.Handle(ctx, plugins.Event{Source: r.GetSource(), Type: r.GetType(), Payload: payload, Received: r.GetReceiveTime().AsTime()}, &view{})
	if err != nil {
		return nil, err
	}
	return &pluginv1.HandleResponse{Refs: texts(refs)}, nil
}

func (s *service) Infer(ctx context.Context, _ *pluginv1.InferRequest) (*pluginv1.InferResponse, error) {
	p, ok := s.p.(plugins.Relater)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "the plugin has no such role")
	}
	entities, err := p.Infer(ctx, &view{})
	if err != nil {
		return nil, err
	}
	out := &pluginv1.InferResponse{}
	for _, e := range entities {
		doc, err := structOf(e.Document)
		if err != nil {
			return nil, err
		}
		out.Entities = append(out.Entities, doc)
	}
	return out, nil
}

func texts(refs []catalog.Ref) []string {
	out := make([]string, 0, len(refs))
	for _, ref := range refs {
		out = append(out, valid(ref.String()))
	}
	return out
}

// view shows one entity, or nothing.
type view struct {
	entity     *catalog.Entity
	relations  []catalog.Relation
	repository *plugins.Repository
}

func (v *view) is(ref catalog.Ref) bool { return v.entity != nil && v.entity.Ref.Key() == ref.Key() }

func (v *view) Entity(ref catalog.Ref) (*catalog.Entity, bool) {
	if !v.is(ref) {
		return nil, false
	}
	return v.entity, true
}

func (v *view) Relations(ref catalog.Ref, types ...string) []catalog.Relation {
	if !v.is(ref) {
		return nil
	}
	return plugins.OfTypes(v.relations, types)
}

func (v *view) Repository(e *catalog.Entity) (plugins.Repository, bool) {
	if !v.is(e.Ref) || v.repository == nil {
		return plugins.Repository{}, false
	}
	return *v.repository, true
}

func (v *view) Each(string, func(*catalog.Entity) bool) {}

// noHost gives nothing: what a plugin in another process needs it gets with its
// configuration.
type noHost struct{}

func (noHost) Records() plugins.Records          { return nothing{} }
func (noHost) Source() plugins.Inspector         { return nothing{} }
func (noHost) View(context.Context) plugins.View { return &view{} }
func (noHost) Refresh(...catalog.Ref)            {}
func (noHost) Now() time.Time                    { return time.Now() }
func (noHost) Select(context.Context, string) ([]*catalog.Entity, error) {
	return nil, plugins.ErrNotGiven
}

type nothing struct{}

func (nothing) Get(context.Context, string) (plugins.Record, error) {
	return plugins.Record{}, plugins.ErrNotGiven
}

func (nothing) List(context.Context, string, string, int) ([]plugins.Record, error) {
	return nil, plugins.ErrNotGiven
}

func (nothing) Put(context.Context, string, any, int64) error { return plugins.ErrNotGiven }
func (nothing) Delete(context.Context, string) error          { return plugins.ErrNotGiven }

func (nothing) Files(context.Context, plugins.Repository, string) ([]string, error) {
	return nil, plugins.ErrNotGiven
}

func (nothing) Text(context.Context, plugins.Repository, string) (string, error) {
	return "", plugins.ErrNotGiven
}

func (nothing) Commits(context.Context, plugins.Repository, string, time.Time, int) ([]plugins.Commit, error) {
	return nil, plugins.ErrNotGiven
}
