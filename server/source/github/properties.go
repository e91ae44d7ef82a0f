package github

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// properties makes custom properties of repositories strings. GitHub gives a list
// of strings for one of which several values may be chosen, and null for one that
// is not set; the client knows strings alone, and would refuse a whole list of
// repositories for one of them. It is the outermost transport.
type properties struct{ next http.RoundTripper }

func (p properties) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := p.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK || !showsRepositories.MatchString(r.URL.Path) {
		return answer, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRepositoriesPage+1))
	answer.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) > maxRepositoriesPage {
		return nil, fmt.Errorf("GitHub's answer at %s has more than %d bytes", r.URL.Path, maxRepositoriesPage)
	}
	if plain := plainProperties(body); len(plain) != len(body) {
		body = plain
		answer.ContentLength = int64(len(body))
		answer.Header.Del("Content-Length")
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// showsRepositories are the paths of answers that hold repositories: a list, or one.
var showsRepositories = regexp.MustCompile(`(/repos|/repos/[^/]+/[^/]+|/repositories/[0-9]+)$`)

// maxRepositoriesPage bounds such an answer: a hundred repositories are 700 kB.
const maxRepositoriesPage = 64 << 20

// someProperties finds repositories that have custom properties at all.
var someProperties = regexp.MustCompile(`"custom_properties"\s*:\s*\{\s*"`)

// plainProperties rewrites the custom properties in an answer or a payload: several
// values are joined with commas, which GitHub allows in none of them, and one that
// is not set is left out. What is not JSON is left as it is.
func plainProperties(body []byte) []byte {
	if !someProperties.Match(body) {
		return body
	}
	var doc any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&doc) != nil {
		return body
	}
	simplify(doc)
	plain, err := json.Marshal(doc)
	if err != nil {
		return body
	}
	return plain
}

func simplify(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			simplify(x)
		}
	case map[string]any:
		for key, x := range v {
			own, ok := x.(map[string]any)
			if key != "custom_properties" || !ok {
				simplify(x)
				continue
			}
			for name, value := range own {
				switch value := value.(type) {
				case string:
				case []any:
					var words []string
					for _, w := range value {
						if w, ok := w.(string); ok {
							words = append(words, w)
						}
					}
					own[name] = strings.Join(words, ",")
				default:
					delete(own, name)
				}
			}
		}
	}
}
