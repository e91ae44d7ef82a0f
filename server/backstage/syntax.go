package backstage

import (
	"encoding/json"
	"errors"
	"strings"
)

// syntaxError says what is wrong with JSON, the end of it in the words of
// JavaScript.
func syntaxError(b []byte) error {
	err := json.Unmarshal(b, new(any))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		if strings.Contains(syntax.Error(), "unexpected end") {
			return inputError("Unexpected end of JSON input")
		}
		return inputError("%s at position %d of the JSON", syntax.Error(), syntax.Offset)
	}
	return inputError("the body is not JSON")
}
