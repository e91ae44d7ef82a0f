package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/waypost-dev/waypost/sample"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/harvest"
	"github.com/waypost-dev/waypost/server/source"
	"github.com/waypost-dev/waypost/server/source/gitdir"
	"github.com/waypost-dev/waypost/server/source/github"
	"github.com/waypost-dev/waypost/server/source/githubtest"
	"github.com/waypost-dev/waypost/server/source/location"
	"github.com/waypost-dev/waypost/server/store"
)

// engine makes the engine that harvests the configured sources. done gives back
// what it needs to run, if there is anything.
func engine(cfg *config.Config, st *store.Store, log *slog.Logger) (e *harvest.Engine, done func(), err error) {
	done = func() {}
	all := cfg.Sources
	if cfg.Sample {
		var s config.Source
		if s, done, err = serveSample(cfg); err != nil {
			return nil, nil, err
		}
		all = append([]config.Source{s}, all...)
	}
	e = harvest.New(st, log)
	names := map[string]bool{}
	for _, s := range all {
		built, err := newSource(s, cfg, cache{st, log})
		if err == nil && names[built.Name()] {
			err = errors.New("it is configured twice (the sample organisation counts too); name each source once")
		}
		if err != nil {
			done()
			return nil, nil, usagef("source %s: %w", s.Name(), err)
		}
		names[built.Name()] = true
		e.Add(harvest.Config{
			Source: built, Priority: s.Priority, NoInference: !*s.Inference || s.Type == "location", Every: *s.Every,
			Removals: removals(*s.MaxRemovals, s.Orphans), Schemas: cfg.Schemas, Allow: s.Allow,
		})
	}
	return e, done, nil
}

// removals says how bad news of a source is believed; percent and orphans are
// as the configuration has them.
func removals(percent float64, orphans string) store.Removals {
	out := store.Removals{Share: percent / 100, Orphans: store.Orphans{Keep: orphans == "keep"}}
	if after, err := time.ParseDuration(orphans); err == nil { // else it is one of the words
		out.Orphans.After = after
	}
	return out
}

// newSource makes one source.
func newSource(s config.Source, cfg *config.Config, kept github.Cache) (source.Source, error) {
	switch s.Type {
	case "github":
		o := github.Options{
			Organisation: s.Org, URL: s.URL, Token: s.Token.Reveal(),
			Patterns: s.Patterns, Branch: s.Branch,
			Include: s.Repositories.Include, Exclude: s.Repositories.Exclude,
			Topics: s.Topics, Visibility: s.Visibility,
			NoArchived: !*s.Archived, NoForks: !*s.Forks,
			ReadAllow: cfg.ReadAllow, Cache: kept,
			Transport: otelhttp.NewTransport(http.DefaultTransport),
		}
		if s.App != nil {
			o.App = &github.App{ID: s.App.AppID, Installation: s.App.InstallationID, PrivateKey: []byte(s.App.PrivateKey.Reveal())}
		}
		return github.New(o)
	case "dir":
		return gitdir.New(gitdir.Options{
			Path: s.Path, Branch: s.Branch, Patterns: s.Patterns,
			Include: s.Repositories.Include, Exclude: s.Repositories.Exclude,
			ReadAllow: cfg.ReadAllow, Cache: kept,
		})
	case "location":
		return location.New(location.Options{Target: s.Target, ReadAllow: cfg.ReadAllow, Cache: kept})
	default:
		return nil, fmt.Errorf("type %s is not known", s.Type)
	}
}

// serveSample starts a GitHub of our own on a loopback port, which knows the
// sample organisation, and returns it as a source.
func serveSample(cfg *config.Config) (config.Source, func(), error) {
	org, err := githubtest.LoadFS(sample.Acme())
	if err != nil {
		return config.Source{}, nil, fmt.Errorf("load the sample organisation: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return config.Source{}, nil, fmt.Errorf("serve the sample organisation: %w", err)
	}
	server := &http.Server{Handler: githubtest.NewServer(org, githubtest.Options{Enterprise: true}), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l) // ends when it is closed, below
	}()
	yes := true
	s := config.Source{
		Type: "github", Org: org.Login, URL: "http://" + l.Addr().String(),
		Archived: &yes, Forks: &yes, Inference: &yes, Every: &cfg.Every, MaxRemovals: &cfg.MaxRemovals, Orphans: cfg.Orphans,
	}
	return s, func() {
		_ = server.Close() // harvests have ended; there is nothing to lose
		<-ended
	}, nil
}

// cache keeps the answers of a GitHub in the store, so that an unchanged
// organisation costs no counted request after a restart either.
type cache struct {
	store *store.Store
	log   *slog.Logger
}

// cacheTimeout bounds a single read or write.
const cacheTimeout = 10 * time.Second

func (c cache) Get(key string) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	b, ok, err := c.store.Response(ctx, key)
	if err != nil {
		c.log.Warn("an answer that was kept cannot be read; it is asked for again", "error", err)
	}
	return b, ok && err == nil && len(b) > 0
}

func (c cache) Set(key string, value []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), cacheTimeout)
	defer cancel()
	if err := c.store.PutResponse(ctx, key, value); err != nil {
		c.log.Warn("an answer cannot be kept; it will cost a request again", "error", err)
	}
}

// Delete keeps an empty value, which Get takes for none.
func (c cache) Delete(key string) { c.Set(key, nil) }
