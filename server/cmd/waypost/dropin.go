package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	harvestv1 "github.com/waypost-dev/waypost/proto/waypost/harvest/v1"
	"github.com/waypost-dev/waypost/server/api"
	"github.com/waypost-dev/waypost/server/backstage"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/locations"
	"github.com/waypost-dev/waypost/server/store"
)

// dropIn puts the API of Backstage's catalog beside ours. What it refreshes, it
// refreshes through ours, by the same rules.
func dropIn(x *index.Index, st *store.Store, e *harvest.Engine, registry *locations.Registry, server *api.Server, cfg *config.Config, log *slog.Logger) (http.Handler, error) {
	ours := server.Handler()
	harvests := harvestv1.NewHarvestServiceClient(server.Conn())
	theirs, err := backstage.New(backstage.Options{
		Index: x, Locations: registry, Schemas: cfg.Schemas, Origins: cfg.Origins, Log: log, Ready: server.Ready,
		Observe: func(route string, status int, took time.Duration) { server.Observe("/backstage/"+route, status, took) },
		RefreshEntity: func(ctx context.Context, ref catalog.Ref) error {
			done, err := harvests.RefreshEntity(ctx, &harvestv1.RefreshEntityRequest{Name: "entities/" + ref.Key()})
			if err != nil {
				return err
			}
			return x.Wait(ctx, catalog.Revision(done.Revision))
		},
		Delete: func(ctx context.Context, uid string) error {
			gone, err := st.Delete(ctx, uid, catalog.Cause{Via: catalog.ViaAPI})
			if err != nil {
				return err
			}
			return x.Wait(ctx, gone)
		},
		Problems: func() ([]catalog.Problem, error) { return server.Problems(context.Background()) },
		Refresh: func(ctx context.Context, source string) error {
			_, err := e.Run(ctx, source, harvest.Order{Cause: "api"}, nil)
			return err
		},
		Sources: func() []string {
			var names []string
			for _, s := range e.Sources() {
				names = append(names, s.Name)
			}
			return names
		},
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if backstage.Owns(r.URL.Path) {
			theirs.ServeHTTP(w, r)
			return
		}
		ours.ServeHTTP(w, r)
	}), nil
}
