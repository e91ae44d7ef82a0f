package githubtest

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// authorised checks the Authorization header, and answers when it will not do.
func (s *Server) authorised(a *answer, r *http.Request) bool {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	path := strings.TrimPrefix(r.URL.Path, s.base)
	if s.options.App != nil && (strings.HasPrefix(path, "/app") || strings.HasSuffix(path, "/installation")) {
		a.resource = "app"
		if !s.options.App.verify(token) {
			a.fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
			return false
		}
		return true
	}
	if s.options.Token == "" && s.options.App == nil || s.options.Token != "" && token == s.options.Token {
		return true
	}
	s.mu.Lock()
	ends, ok := s.tokens[token]
	s.mu.Unlock()
	if ok && time.Now().Before(ends) {
		return true
	}
	a.fail(http.StatusUnauthorized, "Bad credentials")
	return false
}

// verify checks an App's JSON web token as GitHub documents it: RS256, issued
// by the App's id, and valid for ten minutes at most.
func (app *App) verify(token string) bool {
	claims := &jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return app.Key, nil }, jwt.WithValidMethods([]string{"RS256"}))
	return err == nil && claims.Issuer == strconv.FormatInt(app.ID, 10) &&
		claims.ExpiresAt != nil && time.Until(claims.ExpiresAt.Time) <= 10*time.Minute+time.Second
}

func (s *Server) installation(w http.ResponseWriter, r *http.Request) {
	a := w.(*answer)
	app := s.options.App
	if app == nil {
		a.fail(http.StatusNotFound, "Not Found")
		return
	}
	api := s.api(r)
	id := strconv.FormatInt(app.Installation, 10)
	a.json(map[string]any{
		"id": app.Installation, "app_id": app.ID, "app_slug": "waypost", "target_id": number("org", s.org.Login),
		"target_type": "Organization", "account": s.owner(r, s.org.Login), "repository_selection": "all",
		"access_tokens_url": api + "/app/installations/" + id + "/access_tokens",
		"repositories_url":  api + "/installation/repositories",
		"html_url":          s.options.HTMLBase + "/organizations/" + s.org.Login + "/settings/installations/" + id,
		"permissions":       map[string]string{"contents": "read", "metadata": "read", "members": "read"},
		"events":            []string{}, "created_at": epoch, "updated_at": epoch, "single_file_name": nil,
		"suspended_by": nil, "suspended_at": nil,
	})
}

func (s *Server) accessToken(w http.ResponseWriter, r *http.Request) {
	a := w.(*answer)
	app := s.options.App
	if app == nil || r.PathValue("id") != strconv.FormatInt(app.Installation, 10) {
		a.fail(http.StatusNotFound, "Not Found")
		return
	}
	token, ends := "ghs_"+rand.Text(), time.Now().Add(cmp.Or(app.Lifetime, time.Hour)).UTC().Truncate(time.Second)
	s.mu.Lock()
	s.tokens[token] = ends
	s.mu.Unlock()
	a.status = http.StatusCreated
	a.json(map[string]any{
		"token": token, "expires_at": ends, "repository_selection": "all",
		"permissions": map[string]string{"contents": "read", "metadata": "read", "members": "read"},
	})
}
