package api

import (
	"fmt"
	"sync"

	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// codec is gRPC's own for protobuf, with less work for large answers. One that
// is nothing but bytes that are encoded already, as that of GetEntity is,
// goes out as it is. All others are written into buffers that are not
// overwritten with zeros before each use, as those of gRPC's pool are.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(encodingproto.Name)} }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("answer is a %T, no message", v)
	}
	size := proto.Size(m)
	if encoded := m.ProtoReflect().GetUnknown(); size == len(encoded) {
		return mem.BufferSlice{mem.SliceBuffer(encoded)}, nil
	}
	// Nothing changes m after Size.
	o := proto.MarshalOptions{UseCachedSize: true}
	if mem.IsBelowBufferPoolingThreshold(size) {
		b, err := o.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("encode %T: %w", v, err)
		}
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	buffer := answers.Get(size)
	b, err := o.MarshalAppend((*buffer)[:0], m)
	if err != nil {
		answers.Put(buffer)
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	*buffer = b
	return mem.BufferSlice{mem.NewBuffer(buffer, answers)}, nil
}

// answerPool implements mem.BufferPool.
type answerPool struct{ sync.Pool }

var answers = &answerPool{}

// Get returns a buffer that holds anything, with room for size bytes.
func (p *answerPool) Get(size int) *[]byte {
	if b, ok := p.Pool.Get().(*[]byte); ok && cap(*b) >= size {
		return b
	}
	b := make([]byte, 0, size+size/4)
	return &b
}

// Put takes a buffer back that nobody reads any more.
func (p *answerPool) Put(b *[]byte) {
	if cap(*b) <= maxKeptBuffer {
		p.Pool.Put(b)
	}
}
