package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxNodes is how many nodes GitHub looks up by id in one query.
const maxNodes = 100

// queryError is an error that GitHub put into a GraphQL answer.
type queryError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
}

func (e *queryError) Error() string {
	if e.Type == "" {
		return e.Message
	}
	return e.Message + " (" + e.Type + ")"
}

// errTooMuch is an answer that did not come, or not whole: a smaller query may
// fare better.
type errTooMuch struct{ cause error }

func (e *errTooMuch) Error() string { return e.cause.Error() }
func (e *errTooMuch) Unwrap() error { return e.cause }

// query asks GraphQL and decodes the data. Errors that GitHub says of parts of
// the answer come beside it.
func (s *Source) query(ctx context.Context, text string, variables map[string]any, data any) ([]queryError, error) {
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		return nil, fmt.Errorf("encode a GraphQL query: %w", err)
	}
	for wait := 1; ; wait++ {
		found, err := s.post(ctx, body, data)
		var limited *graphqlLimit
		if !errors.As(err, &limited) || wait > limitTries {
			return found, err
		}
		if err := pause(ctx, limited.reset, s.o.MaxWait); err != nil {
			return nil, err
		}
	}
}

// graphqlLimit is the primary limit as GraphQL tells of it: with status 200.
type graphqlLimit struct {
	queryError
	reset time.Time
}

func (s *Source) post(ctx context.Context, body []byte, data any) ([]queryError, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.graphql, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a GraphQL request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	answer, err := s.client.Do(request)
	var limit *limitError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &limit):
		return nil, err
	case err != nil:
		return nil, &errTooMuch{fmt.Errorf("ask GitHub's GraphQL API: %w", err)}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, &errTooMuch{fmt.Errorf("read the answer of GitHub's GraphQL API: %w", err)}
	}
	if answer.StatusCode != http.StatusOK {
		err := refused(answer.StatusCode, text)
		if answer.StatusCode < 500 && s.o.Token == "" && s.o.App == nil {
			err = fmt.Errorf("GitHub's GraphQL API answers nobody without a token; set one, or a GitHub App: %w", err)
		}
		return nil, err
	}
	var reply struct {
		Data   json.RawMessage `json:"data"`
		Errors []queryError    `json:"errors"`
	}
	if err := json.Unmarshal(text, &reply); err != nil {
		return nil, &errTooMuch{fmt.Errorf("decode the answer of GitHub's GraphQL API: %w", err)}
	}
	for _, e := range reply.Errors {
		switch e.Type {
		case "RATE_LIMITED", "RATE_LIMIT":
			return nil, &graphqlLimit{e, spending(ctx).reset()}
		case "RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED":
			return nil, &errTooMuch{fmt.Errorf("ask GitHub's GraphQL API: %w", &e)}
		}
	}
	if len(reply.Data) == 0 || string(reply.Data) == "null" {
		if len(reply.Errors) == 0 {
			return nil, &errTooMuch{errors.New("GitHub's GraphQL API answered neither data nor errors")}
		}
		e := reply.Errors[0]
		// A query that takes too long ends without a type.
		if e.Type == "" && (strings.Contains(e.Message, "timeout") || strings.Contains(e.Message, "timed out") || strings.HasPrefix(e.Message, "Something went wrong")) {
			return nil, &errTooMuch{fmt.Errorf("ask GitHub's GraphQL API: %w", &e)}
		}
		return nil, fmt.Errorf("GitHub's GraphQL API refused the query: %w", &e)
	}
	if err := json.Unmarshal(reply.Data, data); err != nil {
		return nil, &errTooMuch{fmt.Errorf("decode the data of GitHub's GraphQL API: %w", err)}
	}
	return reply.Errors, nil
}

// refused is the error for an answer that is none.
func refused(status int, body []byte) error {
	var said struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // a proxy may well have answered in HTML
	err := fmt.Errorf("GitHub's GraphQL API answered %d %s %.200s", status, http.StatusText(status), said.Message)
	switch {
	case status >= 500:
		return &errTooMuch{err}
	case status == http.StatusUnauthorized:
		return fmt.Errorf("GitHub refused the token (401); it may have expired or been revoked: %w", err)
	}
	return err
}

func (b *budget) reset() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.spent.Reset
}
