package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
)

// GitHub's headers.
const (
	headerEvent     = "X-GitHub-Event"
	headerDelivery  = "X-GitHub-Delivery"
	headerSignature = "X-Hub-Signature-256"
	headerSHA1      = "X-Hub-Signature"
)

// signature is an HMAC-SHA256 as a header claims it.
type signature []byte

// signatureOf reads the signature of a request. GitHub sends one with SHA-1
// beside it for old receivers; that one alone is not enough.
func signatureOf(h http.Header) (signature, error) {
	text := h.Get(headerSignature)
	if text == "" {
		if h.Get(headerSHA1) != "" {
			return nil, errors.New("the delivery is signed with SHA-1 alone; " + headerSignature + " is needed, which GitHub sends beside it")
		}
		return nil, errors.New("the delivery is not signed: " + headerSignature + " is missing; set the source's secret in the settings of the webhook")
	}
	digits, ok := strings.CutPrefix(text, "sha256=")
	if !ok {
		return nil, errors.New(headerSignature + " does not begin with sha256=")
	}
	mac, err := hex.DecodeString(digits)
	if err != nil || len(mac) != sha256.Size {
		return nil, errors.New(headerSignature + " does not end in 64 hexadecimal digits")
	}
	return mac, nil
}

// matches tells whether the body was signed with the secret, in a time that
// does not depend on how much of the signature is right.
func (s signature) matches(body []byte, secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hmac.Equal(s, mac.Sum(nil))
}
