package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	catalogv1 "github.com/waypost-dev/waypost/proto/waypost/catalog/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/source/location"
)

// registering is a fixture that registers locations of a web server.
func registering(t *testing.T) (f *fixture, page string) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "apiVersion: v1\nkind: System\nmetadata:\n  name: %s\nspec: {owner: shop, x: }\n", strings.Trim(r.URL.Path, "/"))
	}))
	t.Cleanup(web.Close)
	f = newFixture(t, nil)
	log := slog.New(slog.DiscardHandler)
	var err error
	f.Server, err = New(Options{
		Index: f.index, Store: f.store, Engine: f.engine, Logger: log,
		Locations: locations.New(f.store, f.engine, log, locations.Options{Source: location.Options{ReadAllow: []string{strings.TrimPrefix(web.URL, "http://")}}}),
	})
	require.NoError(t, err)
	f.SetReady(true)
	return f, "url:" + web.URL
}

func TestLocations(t *testing.T) {
	t.Parallel()
	f, page := registering(t)
	c := catalogv1.NewLocationServiceClient(f.dial(t))
	ctx := t.Context()

	dry, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: page + "/a", ValidateOnly: true})
	require.NoError(t, err)
	require.Equal(t, []string{"system:default/a"}, dry.EntityRefs)
	require.Empty(t, dry.Location.Name)

	begin := time.Now()
	var names []string
	for _, name := range []string{"b", "a", "c"} {
		done, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: page + "/" + name})
		require.NoError(t, err)
		require.Equal(t, page+"/"+name, done.Location.Target)
		require.NotNil(t, done.Location.CreateTime)
		names = append(names, done.Location.Name)
		latest, err := f.store.Latest(ctx)
		require.NoError(t, err)
		require.EqualValues(t, latest, done.Revision)
	}
	require.Less(t, time.Since(begin), 3*time.Second)
	t.Logf("three locations registered in %s", time.Since(begin))
	found := 0
	_, err = f.store.Load(ctx, func(*catalog.Entity) error { found++; return nil })
	require.NoError(t, err)
	require.Equal(t, 3, found)

	var targets []string
	req := &catalogv1.ListLocationsRequest{PageSize: 2}
	for {
		list, err := c.ListLocations(ctx, req)
		require.NoError(t, err)
		for _, l := range list.Locations {
			targets = append(targets, l.Target)
		}
		if req.PageToken = list.NextPageToken; req.PageToken == "" {
			break
		}
	}
	require.Equal(t, []string{page + "/a", page + "/b", page + "/c"}, targets)

	gone, err := c.DeleteLocation(ctx, &catalogv1.DeleteLocationRequest{Name: names[0]})
	require.NoError(t, err)
	require.Positive(t, gone.Revision)
	require.Len(t, f.engine.Sources(), 2)

	for want, call := range map[string]func() error{
		"AlreadyExists: is harvested already": func() error {
			_, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: page + "/a"})
			return err
		},
		"PermissionDenied: the host elsewhere.example is not allowed to be read; allow it with --read-allow elsewhere.example": func() error {
			_, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: "url:https://elsewhere.example/x"})
			return err
		},
		"PermissionDenied: files of the server's machine are not registered through the API": func() error {
			_, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: "file:/etc/hostname", ValidateOnly: true})
			return err
		},
		"InvalidArgument: must be url:https://HOST/PATH": func() error {
			_, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: "github:acme"})
			return err
		},
		"InvalidArgument: must start with https://HOST": func() error {
			_, err := c.RegisterLocation(ctx, &catalogv1.RegisterLocationRequest{Target: "url:ftp://example.com/x"})
			return err
		},
		"NotFound: is not registered": func() error {
			_, err := c.DeleteLocation(ctx, &catalogv1.DeleteLocationRequest{Name: names[0]})
			return err
		},
		"InvalidArgument: must be locations/ID": func() error {
			_, err := c.DeleteLocation(ctx, &catalogv1.DeleteLocationRequest{Name: "locations/../x"})
			return err
		},
		"InvalidArgument: is none that this server gave out": func() error {
			_, err := c.ListLocations(ctx, &catalogv1.ListLocationsRequest{PageToken: "?"})
			return err
		},
	} {
		code, text, _ := strings.Cut(want, ": ")
		err := call()
		require.Equal(t, code, status.Code(err).String(), want)
		require.ErrorContains(t, err, text)
	}

	none := catalogv1.NewLocationServiceClient(newFixture(t, nil).dial(t))
	_, err = none.ListLocations(ctx, &catalogv1.ListLocationsRequest{})
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
}

func TestLocationsByREST(t *testing.T) {
	t.Parallel()
	f, page := registering(t)
	call := func(method, path, body string, into any) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, bytes.NewBufferString(body))
		r.Header.Set("Content-Type", "application/json")
		f.Handler().ServeHTTP(w, r)
		text, err := io.ReadAll(w.Body)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, into), "%s", text)
		return w.Code
	}
	var done struct {
		Location   struct{ Name string }
		EntityRefs []string
	}
	require.Equal(t, http.StatusOK, call("POST", "/v1/locations", fmt.Sprintf(`{"target": %q}`, page+"/a"), &done))
	require.Equal(t, []string{"system:default/a"}, done.EntityRefs)
	require.Equal(t, http.StatusConflict, call("POST", "/v1/locations", fmt.Sprintf(`{"target": %q}`, page+"/a"), &struct{}{}))
	var list struct{ Locations []struct{ Target string } }
	require.Equal(t, http.StatusOK, call("GET", "/v1/locations", "", &list))
	require.Len(t, list.Locations, 1)
	require.Equal(t, http.StatusOK, call("DELETE", "/v1/"+done.Location.Name, "", &struct{}{}))
	require.Empty(t, f.engine.Sources())
}
