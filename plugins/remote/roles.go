package remote

import (
	"context"
	"fmt"

	"github.com/waypost-dev/waypost/plugins"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Each role is a type of its own, so that a plugin has the methods of those
// roles that it declares, and no others.
type (
	enricher  struct{ r *Remote }
	relater   struct{ enricher }
	collector struct{ r *Remote }
	handler   struct{ r *Remote }
)

// Plugin is the plugin with the roles that its descriptor names.
func (r *Remote) Plugin() plugins.Plugin {
	e, rel, c, h := enricher{r}, relater{enricher{r}}, collector{r}, handler{r}
	does := map[pluginv1.Role]bool{}
	for _, role := range r.wire.GetRoles() {
		does[role] = true
	}
	collects, handles := does[pluginv1.Role_ROLE_COLLECT], does[pluginv1.Role_ROLE_HANDLE]
	switch {
	case does[pluginv1.Role_ROLE_RELATE]:
		switch {
		case collects && handles:
			return struct {
				*Remote
				relater
				collector
				handler
			}{r, rel, c, h}
		case collects:
			return struct {
				*Remote
				relater
				collector
			}{r, rel, c}
		case handles:
			return struct {
				*Remote
				relater
				handler
			}{r, rel, h}
		}
		return struct {
			*Remote
			relater
		}{r, rel}
	case does[pluginv1.Role_ROLE_ENRICH]:
		switch {
		case collects && handles:
			return struct {
				*Remote
				enricher
				collector
				handler
			}{r, e, c, h}
		case collects:
			return struct {
				*Remote
				enricher
				collector
			}{r, e, c}
		case handles:
			return struct {
				*Remote
				enricher
				handler
			}{r, e, h}
		}
		return struct {
			*Remote
			enricher
		}{r, e}
	case collects && handles:
		return struct {
			*Remote
			collector
			handler
		}{r, c, h}
	case collects:
		return struct {
			*Remote
			collector
		}{r, c}
	case handles:
		return struct {
			*Remote
			handler
		}{r, h}
	}
	return r
}

// maxRequest is how many bytes of subjects go into one message, unless one alone
// has more.
const maxRequest = maxMessage / 2

// Enrich asks the process, in as many messages as it takes.
func (x enricher) Enrich(ctx context.Context, subjects []plugins.Subject) ([]plugins.Answer, error) {
	answers := make([]plugins.Answer, len(subjects))
	var batch []*pluginv1.Subject
	var places []int // of the batch's subjects
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		var got *pluginv1.EnrichResponse
		err := x.r.call(ctx, func(ctx context.Context, service pluginv1.RemoteServiceClient) (err error) {
			got, err = service.Enrich(ctx, &pluginv1.EnrichRequest{Subjects: batch})
			return err
		})
		if err != nil {
			return err
		}
		if len(got.GetAnswers()) != len(batch) {
			return fmt.Errorf("it gave %d answers to %d questions", len(got.GetAnswers()), len(batch))
		}
		for i, a := range got.GetAnswers() {
			answers[places[i]] = answerFrom(a)
		}
		batch, places, size = batch[:0], places[:0], 0
		return nil
	}
	for i, s := range subjects {
		made, err := subjectTo(s)
		if err != nil {
			answers[i].Err = fmt.Errorf("the entity cannot be sent to another process: %w", err)
			continue
		}
		n := proto.Size(made)
		if n > maxMessage-1<<10 {
			answers[i].Err = fmt.Errorf("the entity has %d bytes; %d are the most that is sent to another process", n, maxMessage-1<<10)
			continue
		}
		if size+n > maxRequest {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		batch, places, size = append(batch, made), append(places, i), size+n
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return answers, nil
}

// Infer asks the process. It is not shown the catalog.
func (x relater) Infer(ctx context.Context, _ plugins.View) ([]*catalog.Entity, error) {
	var got *pluginv1.InferResponse
	err := x.r.call(ctx, func(ctx context.Context, service pluginv1.RemoteServiceClient) (err error) {
		got, err = service.Infer(ctx, &pluginv1.InferRequest{})
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]*catalog.Entity, 0, len(got.GetEntities()))
	for i, s := range got.GetEntities() {
		doc, err := jsonOf(s)
		if err != nil {
			return nil, fmt.Errorf("inferred entity %d: %w", i, err)
		}
		out = append(out, &catalog.Entity{Document: doc})
	}
	return out, nil
}

// Collect asks the process. It is not shown the catalog.
func (x collector) Collect(ctx context.Context, _ plugins.View) ([]catalog.Ref, error) {
	var got *pluginv1.CollectResponse
	err := x.r.call(ctx, func(ctx context.Context, service pluginv1.RemoteServiceClient) (err error) {
		got, err = service.Collect(ctx, &pluginv1.CollectRequest{})
		return err
	})
	if err != nil {
		return nil, err
	}
	return refsFrom(got.GetRefs())
}

// Handle tells the process.
func (x handler) Handle(ctx context.Context, event plugins.Event, _ plugins.View) ([]catalog.Ref, error) {
	payload, err := structOf(event.Payload)
	if err != nil {
		return nil, fmt.Errorf("send a webhook delivery: %w", err)
	}
	var got *pluginv1.HandleResponse
	err = x.r.call(ctx, func(ctx context.Context, service pluginv1.RemoteServiceClient) (err error) {
		got, err = service.Handle(ctx, &pluginv1.HandleRequest{
			Source: event.Source, Type: event.Type, Payload: payload, ReceiveTime: timestamppb.New(event.Received),
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return refsFrom(got.GetRefs())
}

func refsFrom(texts []string) ([]catalog.Ref, error) {
	var refs []catalog.Ref
	for _, text := range texts {
		ref, err := catalog.ParseRef(text, catalog.RefContext{})
		if err != nil {
			return nil, fmt.Errorf("it returned a ref that is none: %w", err)
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
