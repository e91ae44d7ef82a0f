package api

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
)

// Server-sent events, https://html.spec.whatwg.org/multipage/server-sent-events.html.

const (
	// quiet is how long nothing may be sent before a comment is, so that nobody
	// on the way takes the connection for dead.
	quiet = 15 * time.Second
	// maxWrite is how long a caller may take no byte at all.
	maxWrite = 30 * time.Second
)

// eventsKey marks the context of a watch whose answers become events.
type eventsKey struct{}

// eventsPath is what can be had as server-sent events.
const eventsPath = "/v1/entities:watch"

// wantsEvents tells whether a request is for server-sent events.
func wantsEvents(r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != eventsPath {
		return false
	}
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			kind, parameters, err := mime.ParseMediaType(part)
			if err == nil && kind == "text/event-stream" && parameters["q"] != "0" {
				return true
			}
		}
	}
	return false
}

// watchRequest reads the query as the gateway does. A caller who reconnects
// sends the last id that he saw, and that counts before what the query says.
func watchRequest(r *http.Request) (*catalogv1.WatchEntitiesRequest, error) {
	req := &catalogv1.WatchEntitiesRequest{}
	if err := r.ParseForm(); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := runtime.PopulateQueryParameters(req, r.Form, utilities.NewDoubleArray(nil)); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		n, err := strconv.ParseInt(last, 10, 64)
		if err != nil || n < 1 {
			return nil, badField("Last-Event-ID", "INVALID_FIELD", "write the id of an event, which is a revision")
		}
		req.AfterRevision, req.SendInitial = n, false
	}
	return req, nil
}

var eventNames = map[catalogv1.WatchEntitiesResponse_Type]string{
	catalogv1.WatchEntitiesResponse_TYPE_ADDED:    "added",
	catalogv1.WatchEntitiesResponse_TYPE_CHANGED:  "changed",
	catalogv1.WatchEntitiesResponse_TYPE_REMOVED:  "removed",
	catalogv1.WatchEntitiesResponse_TYPE_BOOKMARK: "bookmark",
}

// received is what the stream gave.
type received struct {
	message *catalogv1.WatchEntitiesResponse
	err     error
}

// serveEvents answers with server-sent events. A fault before the first one is
// answered as any other call's, which tells an EventSource not to try again;
// afterwards the answer just ends, and it does.
func serveEvents(client catalogv1.WatchServiceClient, fail func(error), w http.ResponseWriter, r *http.Request, id string, silence time.Duration) {
	req, err := watchRequest(r)
	if err != nil {
		fail(err)
		return
	}
	ctx, cancel := context.WithCancel(context.WithValue(r.Context(), eventsKey{}, true))
	defer cancel()
	stream, err := client.WatchEntities(metadata.AppendToOutgoingContext(ctx, requestIDHeader, id), req)
	if err != nil {
		fail(err)
		return
	}
	answers := make(chan received)
	go func() {
		for {
			m, err := stream.Recv()
			select {
			case answers <- received{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	connection := http.NewResponseController(w)
	var b []byte
	begun := false
	for {
		b = b[:0]
		select {
		case <-ctx.Done():
			return
		case <-time.After(silence):
			if !begun {
				continue // an error may come yet
			}
			b = append(b, ":\n\n"...)
		case a := <-answers:
			if a.err != nil && !begun {
				fail(a.err)
			}
			if a.err != nil {
				return
			}
			b = appendEvent(b, a.message)
		}
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("X-Accel-Buffering", "no")
			w.WriteHeader(http.StatusOK)
		}
		_ = connection.SetWriteDeadline(time.Now().Add(maxWrite)) // fails where there is no connection, in tests
		if _, err := w.Write(b); err != nil {
			return
		}
		if err := connection.Flush(); err != nil {
			return
		}
	}
}

// appendEvent writes an answer that has its JSON with it.
func appendEvent(b []byte, m *catalogv1.WatchEntitiesResponse) []byte {
	if m.Revision != 0 { // the first selection has none: it cannot be gone on from
		b = append(strconv.AppendInt(append(b, "id: "...), m.Revision, 10), '\n')
	}
	b = append(append(append(b, "event: "...), eventNames[m.Type]...), '\n')
	o := object{b: append(b, "data: "...)}
	o.string("type", m.Type.String())
	o.b = append(o.b, membersOf(m)...)
	return append(o.end(), "\n\n"...)
}
