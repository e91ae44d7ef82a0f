package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Bounds of a request and of all of them together.
const (
	// MaxBody is the size of the largest body in bytes. GitHub sends no payload
	// over 25 MB.
	MaxBody = 25 << 20
	// memory is what all requests may hold at once, in bytes: two of the largest
	// bodies, or some 2,500 deliveries of 8 kB.
	memory = 64 << 20
	// requestMemory is what a request takes beside its body, about.
	requestMemory = 16 << 10
	// firstRead is how much is made room for before anything was read, so that
	// nobody takes memory by a large Content-Length alone.
	firstRead = 16 << 10
	// bodyTimeout is how long a body may take. GitHub itself gives up after 10 s.
	bodyTimeout = 10 * time.Second
)

// reserve is memory that a request was given.
type reserve struct {
	inbox *Inbox
	bytes int64
}

// grow takes more of the memory of all, or says that there is none.
func (r *reserve) grow(bytes int) bool {
	if !r.inbox.memory.TryAcquire(int64(bytes)) {
		return false
	}
	r.bytes += int64(bytes)
	return true
}

func (r *reserve) release() {
	r.inbox.memory.Release(r.bytes)
	r.bytes = 0
}

var (
	errTooLarge = fmt.Errorf("the body is over %d MiB, which is more than GitHub sends", MaxBody>>20)
	errFull     = errors.New("more deliveries come in than can be taken; try again later")
)

// readBody reads the body of a request in steps, each paid from the reserve.
func readBody(w http.ResponseWriter, r *http.Request, held *reserve) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, errTooLarge
	}
	// What serves tests has no connection, and no deadline.
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(bodyTimeout))
	most := MaxBody + 1 // one more tells a body that is too large
	if r.ContentLength >= 0 {
		most = int(r.ContentLength)
	}
	var body []byte
	for {
		if len(body) == cap(body) && len(body) < most {
			size := min(max(2*cap(body), firstRead), most)
			if !held.grow(size - cap(body)) {
				return nil, errFull
			}
			body = append(make([]byte, 0, size), body...)
		}
		if len(body) == most { // of which the server sees to it that nothing follows
			break
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the body: %w", err)
		}
	}
	if len(body) > MaxBody {
		return nil, errTooLarge
	}
	_ = deadline.SetReadDeadline(time.Time{}) // the server watches the connection while the delivery is committed
	return body, nil
}

// formPayload is the value of the first field of a form that is called payload,
// as url.ParseQuery has it, without decoding the others.
func formPayload(body []byte) ([]byte, error) {
	for field := range bytes.SplitSeq(body, []byte("&")) {
		name, value, _ := bytes.Cut(field, []byte("="))
		if len(name) > 3*len("payload") || bytes.ContainsRune(field, ';') {
			continue // not it, however it is escaped; or not a field
		}
		if plain, err := url.QueryUnescape(string(name)); err != nil || plain != "payload" {
			continue
		}
		payload, err := url.QueryUnescape(string(value))
		if err != nil {
			return nil, fmt.Errorf("the field payload of the form: %w", err)
		}
		return []byte(payload), nil
	}
	return nil, errors.New("the form has no field payload")
}
