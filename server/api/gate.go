package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// requestIDHeader carries the request id, in gRPC metadata and in HTTP.
const requestIDHeader = "x-request-id"

// gate is what every call passes, wherever it comes from: request id,
// recovery, validation, error mapping, log and metrics.
type gate struct {
	log      *slog.Logger
	metrics  *metrics
	validate protovalidate.Validator
	tracing  tracing
}

func newGate(log *slog.Logger, m *metrics, t tracing) (*gate, error) {
	// The rules of a request are compiled when it first comes: all of them at
	// the start would delay it. A test compiles every one.
	v, err := protovalidate.New(protovalidate.WithAllowUnknownFields())
	if err != nil {
		return nil, fmt.Errorf("compile the rules of requests: %w", err)
	}
	return &gate{log: log, metrics: m, validate: v, tracing: t}, nil
}

// unary implements grpc.UnaryServerInterceptor.
func (g *gate) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (answer any, err error) {
	id, ctx := identify(ctx)
	ctx, end := g.tracing.start(ctx, info.FullMethod, id)
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			err = g.panicked(r, id, info.FullMethod)
		}
		if err != nil {
			answer, err = nil, g.status(err, id, info.FullMethod)
		}
		end(err)
		g.ended(ctx, info.FullMethod, id, start, err)
	}()
	if strings.HasPrefix(info.FullMethod, "/waypost.") {
		if err := g.check(request); err != nil {
			return nil, err
		}
	}
	return handle(ctx, request)
}

// stream implements grpc.StreamServerInterceptor.
func (g *gate) stream(service any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	id, ctx := identify(ss.Context())
	ctx, end := g.tracing.start(ctx, info.FullMethod, id)
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			err = g.panicked(r, id, info.FullMethod)
		}
		if err != nil {
			err = g.status(err, id, info.FullMethod)
		}
		end(err)
		g.ended(ctx, info.FullMethod, id, start, err)
	}()
	return handle(service, &checkedStream{ss, ctx, g, strings.HasPrefix(info.FullMethod, "/waypost.")})
}

// checkedStream validates what comes in.
type checkedStream struct {
	grpc.ServerStream
	ctx  context.Context
	gate *gate
	ours bool
}

func (s *checkedStream) Context() context.Context { return s.ctx }

func (s *checkedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil || !s.ours {
		return err
	}
	return s.gate.check(m)
}

func (g *gate) check(request any) error {
	m, ok := request.(proto.Message)
	if !ok {
		return fmt.Errorf("request is a %T, no message", request)
	}
	return g.validate.Validate(m)
}

func (g *gate) panicked(r any, id, method string) error {
	g.log.Error("call panicked", "method", method, "request_id", id, "panic", r, "stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "internal error; the server's log has the cause under request id %s", id)
}

func (g *gate) ended(ctx context.Context, method, id string, start time.Time, err error) {
	took := time.Since(start)
	code := status.Code(err)
	g.metrics.call(method, code, took)
	if g.log.Enabled(ctx, slog.LevelDebug) {
		g.log.Debug("call", "method", method, "code", code, "took", took, "request_id", id)
	}
}

type requestIDKey struct{}

// identify gives the call an id: the one it came with if that is harmless,
// else a new one. gRPC callers get it back as a header; the gateway has put it
// into the context, and into its own answer, itself.
func identify(ctx context.Context) (string, context.Context) {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		return id, ctx
	}
	id := ""
	if v := metadata.ValueFromIncomingContext(ctx, requestIDHeader); len(v) > 0 {
		id = v[0]
	}
	if !validRequestID(id) {
		id = newRequestID()
	}
	// It fails only where there is no transport, in process.
	_ = grpc.SetHeader(ctx, metadata.MD{requestIDHeader: []string{id}})
	return id, context.WithValue(ctx, requestIDKey{}, id)
}

func newRequestID() string { return strings.ToLower(rand.Text()) }

// validRequestID keeps a caller from writing what he likes into the log.
func validRequestID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// isContext tells whether err is about a caller who left or a deadline.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
