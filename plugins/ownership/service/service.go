// Package service serves the ownership plugin over gRPC and REST: who owns an
// entity and why, who owns a path, what a team owns, and how far ownership is
// known. What people decide is kept in the plugin's records.
package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/waypost-dev/waypost/plugins"
	"github.com/waypost-dev/waypost/plugins/ownership"
	ownershipv1 "github.com/waypost-dev/waypost/proto/waypost/ownership/v1"
	"github.com/waypost-dev/waypost/server/catalog"
)

// Plugin is the ownership plugin with its service.
type Plugin struct {
	*ownership.Plugin
	ownershipv1.UnimplementedOwnershipServiceServer

	host plugins.Host
}

var (
	_ plugins.Server     = (*Plugin)(nil)
	_ plugins.Configurer = (*Plugin)(nil)
	_ plugins.Enricher   = (*Plugin)(nil)
	_ plugins.Collector  = (*Plugin)(nil)
)

// New is the plugin, not configured yet.
func New() *Plugin { return &Plugin{Plugin: ownership.New()} }

// Configure implements plugins.Configurer.
func (p *Plugin) Configure(ctx context.Context, config json.RawMessage, host plugins.Host) error {
	p.host = host
	return p.Plugin.Configure(ctx, config, host)
}

// RegisterGRPC implements plugins.Server.
func (p *Plugin) RegisterGRPC(r grpc.ServiceRegistrar) {
	ownershipv1.RegisterOwnershipServiceServer(r, p)
}

// RegisterREST implements plugins.Server.
func (p *Plugin) RegisterREST(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
	return ownershipv1.RegisterOwnershipServiceHandlerClient(ctx, mux, ownershipv1.NewOwnershipServiceClient(conn))
}

// entity finds what a request names: entities/kind:namespace/name, or a ref.
func (p *Plugin) entity(view plugins.View, name string) (*catalog.Entity, error) {
	const prefix = "entities/"
	if len(name) > len(prefix) && name[:len(prefix)] == prefix {
		name = name[len(prefix):]
	}
	ref, err := catalog.ParseRef(name, catalog.RefContext{})
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "name: %v", err)
	}
	e, ok := view.Entity(ref)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "there is no entity %s", ref.Lower())
	}
	return e, nil
}

// ExplainOwnership implements OwnershipService.
func (p *Plugin) ExplainOwnership(ctx context.Context, req *ownershipv1.ExplainOwnershipRequest) (*ownershipv1.ExplainOwnershipResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	o, err := p.explained(ctx, view, e)
	return &ownershipv1.ExplainOwnershipResponse{Ownership: o}, err
}

func (p *Plugin) explained(ctx context.Context, view plugins.View, e *catalog.Entity) (*ownershipv1.Ownership, error) {
	o, err := p.Explain(ctx, view, e.Ref)
	if errors.Is(err, ownership.ErrNoEntity) {
		return nil, status.Error(codes.NotFound, err.Error())
	}
	if err != nil {
		return nil, err
	}
	return message(&o), nil
}

// SetOwnershipOverride implements OwnershipService.
func (p *Plugin) SetOwnershipOverride(ctx context.Context, req *ownershipv1.SetOwnershipOverrideRequest) (*ownershipv1.SetOwnershipOverrideResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	owner, err := catalog.ParseRef(req.Owner, catalog.RefContext{Kind: "group", Namespace: e.Ref.Namespace})
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "owner: %v", err)
	}
	if _, ok := view.Entity(owner); !ok {
		return nil, status.Errorf(codes.InvalidArgument, "owner: there is no %s in the catalog; an override must name one that is", owner.Lower())
	}
	now := p.host.Now()
	o := ownership.Override{Owner: owner.Lower().String(), Reason: req.Reason, Actor: req.Actor, Time: now}
	if req.ExpireTime != nil {
		if o.Expires = req.ExpireTime.AsTime(); !o.Expires.After(now) {
			return nil, status.Error(codes.InvalidArgument, "expire_time: is in the past")
		}
	}
	if err := p.decided(ctx, view, e, ownership.OverrideKey(e.Ref), &o); err != nil {
		return nil, err
	}
	m, err := p.explained(ctx, view, e)
	return &ownershipv1.SetOwnershipOverrideResponse{Ownership: m}, err
}

// DeleteOwnershipOverride implements OwnershipService.
func (p *Plugin) DeleteOwnershipOverride(ctx context.Context, req *ownershipv1.DeleteOwnershipOverrideRequest) (*ownershipv1.DeleteOwnershipOverrideResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	if err := p.decided(ctx, view, e, ownership.OverrideKey(e.Ref), nil); err != nil {
		return nil, err
	}
	m, err := p.explained(ctx, view, e)
	return &ownershipv1.DeleteOwnershipOverrideResponse{Ownership: m}, err
}

// VerifyOwnership implements OwnershipService.
func (p *Plugin) VerifyOwnership(ctx context.Context, req *ownershipv1.VerifyOwnershipRequest) (*ownershipv1.VerifyOwnershipResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	o, err := p.Explain(ctx, view, e.Ref)
	if err != nil {
		return nil, err
	}
	if o.Owner.IsZero() {
		return nil, status.Errorf(codes.FailedPrecondition, "nobody owns %s, so that nobody can verify it; give it an owner first", e.Ref.Lower())
	}
	word := ownership.VerifiedBy{Owner: o.Owner.Lower().String(), Actor: req.Actor, Time: p.host.Now()}
	if err := p.decided(ctx, view, e, ownership.VerifiedKey(e.Ref), &word); err != nil {
		return nil, err
	}
	m, err := p.explained(ctx, view, e)
	return &ownershipv1.VerifyOwnershipResponse{Ownership: m}, err
}

// dismissed is how long a dismissal of a drift holds.
const dismissed = 90 * 24 * time.Hour

// DismissDrift implements OwnershipService.
func (p *Plugin) DismissDrift(ctx context.Context, req *ownershipv1.DismissDriftRequest) (*ownershipv1.DismissDriftResponse, error) {
	view := p.host.View(ctx)
	e, err := p.entity(view, req.Name)
	if err != nil {
		return nil, err
	}
	o, err := p.Explain(ctx, view, e.Ref)
	if err != nil {
		return nil, err
	}
	if o.Drift == nil {
		return nil, status.Errorf(codes.FailedPrecondition, "what %s declares and what is evident do not differ; there is nothing to dismiss", e.Ref.Lower())
	}
	word := ownership.Dismissal{
		Declared: o.Drift.Declared.Key(), Evident: o.Drift.Evident.Key(), Reason: req.Reason, Actor: req.Actor, Until: p.host.Now().Add(dismissed),
	}
	if err := p.decided(ctx, view, e, ownership.DismissalKey(e.Ref), &word); err != nil {
		return nil, err
	}
	m, err := p.explained(ctx, view, e)
	return &ownershipv1.DismissDriftResponse{Ownership: m}, err
}

// decided keeps a person's decision, or forgets it if it is nil, and has what
// depends on it asked for again. The past of decisions is kept beside it.
func (p *Plugin) decided(ctx context.Context, view plugins.View, e *catalog.Entity, key string, decision any) error {
	records := p.host.Records()
	trail := fmt.Sprintf("audit/%s/%s", p.host.Now().UTC().Format("20060102T150405.000000000"), key)
	if err := records.Put(ctx, trail, decision, 0); err != nil {
		return fmt.Errorf("keep a decision: %w", err)
	}
	var err error
	if decision == nil {
		err = records.Delete(ctx, key)
	} else {
		err = records.Put(ctx, key, decision, 0)
	}
	if err != nil {
		return fmt.Errorf("keep a decision: %w", err)
	}
	p.host.Refresh(ownership.Affected(view, e.Ref)...)
	return nil
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// refOf is a ref as the API writes it; empty for none.
func refOf(r catalog.Ref) string {
	if r.IsZero() {
		return ""
	}
	return r.Lower().String()
}

func message(o *ownership.Ownership) *ownershipv1.Ownership {
	m := &ownershipv1.Ownership{
		EntityRef: refOf(o.Entity), OwnerRef: refOf(o.Owner), Source: string(o.Source), Confidence: o.Confidence, DeclaredRef: refOf(o.Declared),
		Status: string(o.Status), AccountableRef: refOf(o.Accountable), Responsibilities: map[string]string{},
	}
	for _, r := range o.Additional {
		m.AdditionalRefs = append(m.AdditionalRefs, refOf(r))
	}
	for role, r := range o.Responsibilities {
		m.Responsibilities[role] = refOf(r)
	}
	for _, c := range o.Candidates {
		m.Candidates = append(m.Candidates, &ownershipv1.Candidate{
			OwnerRef: refOf(c.Owner), Source: string(c.Source), Confidence: c.Confidence, Evidence: evidence(c.Evidence...), RejectedBecause: c.RejectedBecause, Exists: c.Exists,
		})
	}
	if d := o.Drift; d != nil {
		m.Drift = &ownershipv1.Drift{
			DeclaredRef: refOf(d.Declared), EvidentRef: refOf(d.Evident), Share: d.Share, Commits: int32(d.Commits), Since: timestamp(d.Since),
			DismissedUntil: timestamp(d.DismissedUntil), DismissedBy: d.DismissedBy, DismissedReason: d.DismissedReason,
		}
	}
	if v := o.Verification; v != nil {
		m.Verification = &ownershipv1.Verification{State: verificationStates[v.State], VerifyTime: timestamp(v.At), Actor: v.Actor, DueTime: timestamp(v.Due)}
	}
	for _, x := range o.Mends {
		m.Mends = append(m.Mends, &ownershipv1.Mend{Reason: x.Reason, Repository: x.Repository, Path: x.Path, Line: int32(x.Line), Patch: x.Patch, Text: x.Text})
	}
	return m
}

var verificationStates = map[ownership.VerificationState]ownershipv1.Verification_State{
	ownership.Verified: ownershipv1.Verification_STATE_VERIFIED, ownership.Due: ownershipv1.Verification_STATE_DUE, ownership.Overdue: ownershipv1.Verification_STATE_OVERDUE,
}

func evidence(list ...catalog.Evidence) []*ownershipv1.Evidence {
	out := make([]*ownershipv1.Evidence, len(list))
	for i, e := range list {
		out[i] = &ownershipv1.Evidence{Kind: e.Kind, Text: e.Text, Url: e.URL, Repository: e.Repository, Path: e.Path, Line: int32(e.Line), Commit: e.Commit, Weight: e.Weight}
	}
	return out
}
