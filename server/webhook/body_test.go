package webhook_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waypost-dev/waypost/server/webhook"
)

// The payload of a form is what net/url says it is.
func FuzzFormPayload(f *testing.F) {
	for _, seed := range []string{
		"payload=%7B%22a%22%3A1%7D", "payload=", "payload", "", "&&", "a=1&payload=x&payload=y", "pay%6coad=x", "PAYLOAD=x",
		"payload=a+b%20c", "payload=%", "payload=%zz", "a=%zz&payload=x", "%zz=1&payload=x", "payload=a;b", "a;payload=1", "=payload",
		"%70%61%79%6c%6f%61%64=x", "payload=%00%ff", "payload==", "p=1;&payload=2",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := webhook.FormPayload(body)
		form, broken := url.ParseQuery(string(body))
		switch {
		case err == nil:
			require.NotEmpty(t, form["payload"])
			require.Equal(t, form["payload"][0], string(got))
		case broken == nil: // else what is broken may be the payload
			require.Empty(t, form["payload"])
		}
	})
}
