package backstage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// failure is an answer that is no success.
type failure struct {
	status        int
	name, message string
}

func (f *failure) Error() string { return f.message }

func inputError(format string, args ...any) error {
	return &failure{http.StatusBadRequest, "InputError", fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &failure{http.StatusNotFound, "NotFoundError", fmt.Sprintf(format, args...)}
}

// fail writes an error in the shape of Backstage's error handler.
func (c *call) fail(err error) {
	var f *failure
	if !errors.As(err, &f) {
		if c.r.Context().Err() != nil {
			return // nobody is there to read it
		}
		c.log.Error("a call of Backstage's API failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
		f = &failure{http.StatusInternalServerError, "Error", "An unexpected error occurred; the server's log has it"}
	}
	type object = map[string]any
	c.json(f.status, object{
		"error":    object{"name": f.name, "message": f.message},
		"request":  object{"method": c.r.Method, "url": c.url},
		"response": object{"statusCode": f.status},
	})
}

// json writes an answer that is small.
func (c *call) json(status int, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		c.log.Error("an answer cannot be written as JSON", "path", c.r.URL.Path, "error", err)
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	c.send(status, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
