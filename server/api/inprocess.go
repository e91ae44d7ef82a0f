package api

import (
	"context"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// inProcess connects to the services without a socket. Streams are grpchan's.
// Unary calls are our own, because the REST gateway makes one for every
// request and grpchan costs it two goroutine switches and two deep copies of
// the messages: here the handler runs on the caller's goroutine and messages
// are handed over field by field, which is safe because neither side touches a
// message after giving it away.
type inProcess struct {
	*inprocgrpc.Channel // streams
	gate                *gate
	methods             map[string]method
}

type method struct {
	service any
	handle  grpc.MethodHandler
}

func newInProcess(g *gate) *inProcess {
	c := &inprocgrpc.Channel{}
	return &inProcess{
		Channel: c.WithServerStreamInterceptor(g.stream).WithServerUnaryInterceptor(g.unary),
		gate:    g, methods: map[string]method{},
	}
}

// RegisterService implements grpc.ServiceRegistrar.
func (c *inProcess) RegisterService(desc *grpc.ServiceDesc, service any) {
	c.Channel.RegisterService(desc, service)
	for _, m := range desc.Methods {
		c.methods["/"+desc.ServiceName+"/"+m.MethodName] = method{service, m.Handler}
	}
}

// Invoke implements grpc.ClientConnInterface. Call options are ignored: none
// that concerns the transport has a meaning here.
func (c *inProcess) Invoke(ctx context.Context, name string, args, reply any, _ ...grpc.CallOption) error {
	m, ok := c.methods[name]
	if !ok {
		return status.Errorf(codes.Unimplemented, "unknown method %s", name)
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	answer, err := m.handle(m.service, incoming(ctx), func(request any) error {
		handOver(request.(proto.Message), args.(proto.Message))
		return nil
	}, c.gate.unary)
	if err != nil {
		return err
	}
	handOver(reply.(proto.Message), answer.(proto.Message))
	return nil
}

// NewStream implements grpc.ClientConnInterface.
func (c *inProcess) NewStream(ctx context.Context, desc *grpc.StreamDesc, name string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.Channel.NewStream(ctx, desc, name, opts...)
}

// incoming is the context that a handler gets in which a caller's outgoing
// metadata has come in.
func incoming(ctx context.Context) context.Context {
	if _, ok := ctx.Value(formKey{}).(*rest); !ok {
		ctx = context.WithValue(ctx, formKey{}, (*rest)(nil))
	}
	md, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		return ctx
	}
	return metadata.NewIncomingContext(ctx, md)
}

// handOver makes to, an empty message, what from is. They share what is below
// the first level.
func handOver(to, from proto.Message) {
	t, f := to.ProtoReflect(), from.ProtoReflect()
	f.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		t.Set(field, v)
		return true
	})
	t.SetUnknown(f.GetUnknown())
}
