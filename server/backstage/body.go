package backstage

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 8 << 20

// body reads a JSON object.
func (c *call) body() (gjson.Result, error) {
	kind := c.r.Header.Get("Content-Type")
	media, _, _ := strings.Cut(kind, ";")
	if strings.TrimSpace(strings.ToLower(media)) != "application/json" {
		if kind == "" {
			kind = "not specified"
		}
		return gjson.Result{}, inputError("unsupported media type %s", clip(kind))
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return gjson.Result{}, &failure{http.StatusRequestEntityTooLarge, "PayloadTooLargeError", "request entity too large"}
		}
		return gjson.Result{}, inputError("the body could not be read: %s", err)
	}
	if len(strings.TrimSpace(string(b))) == 0 {
		return gjson.Parse("{}"), nil
	}
	if !gjson.ValidBytes(b) {
		return gjson.Result{}, syntaxError(b)
	}
	v := gjson.ParseBytes(b)
	if !v.IsObject() {
		return gjson.Result{}, inputError("request/body must be object")
	}
	return v, nil
}

// stringsOf is a list of strings, nil if it is not there.
func stringsOf(body gjson.Result, name string) ([]string, error) {
	list := body.Get(name)
	if !list.Exists() {
		return nil, nil
	}
	if !list.IsArray() {
		return nil, inputError("request/body/%s must be array", name)
	}
	out := []string{}
	for i, e := range list.Array() {
		if e.Type != gjson.String {
			return nil, inputError("request/body/%s/%d must be string", name, i)
		}
		out = append(out, e.Str)
	}
	return out, nil
}

// whole is a number that is not below zero.
func whole(body gjson.Result, name string, otherwise int) (int, error) {
	v := body.Get(name)
	switch {
	case !v.Exists():
		return otherwise, nil
	case v.Type != gjson.Number || v.Num != float64(int(v.Num)):
		return 0, inputError("request/body/%s must be integer", name)
	case v.Num < 0:
		return 0, inputError("request/body/%s must be >= 0", name)
	}
	return int(v.Num), nil
}

// required is a member that must be a string.
func required(body gjson.Result, at, name string) (string, error) {
	v := body.Get(name)
	switch {
	case !v.Exists():
		return "", inputError("request/%s must have required property '%s'", at, name)
	case v.Type != gjson.String:
		return "", inputError("request/%s/%s must be string", at, name)
	}
	return v.Str, nil
}
