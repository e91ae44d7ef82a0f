package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/waypost-dev/waypost/plugins"
	ownership "github.com/waypost-dev/waypost/plugins/ownership/service"
	"github.com/waypost-dev/waypost/plugins/remote"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/enrich"
)

// builtin are the plugins in this binary, by name. They run unless they are
// switched off.
var builtin = map[string]func() plugins.Plugin{
	"ownership": func() plugins.Plugin { return ownership.New() }}

// configured are the plugins of a configuration: of all, or of those named. Done
// ends those that run in other processes.
func configured(ctx context.Context, cfg *config.Config, log *slog.Logger, names ...string) (list []enrich.Configured, done func(), err error) {
	var started []*remote.Remote
	done = func() {
		for _, p := range started {
			p.Stop()
		}
	}
	all := map[string]bool{}
	for name := range builtin {
		all[name] = true
	}
	for name := range cfg.Plugins {
		all[name] = true
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(all))
	}
	var wrong []error
	for _, name := range names {
		if !all[name] {
			wrong = append(wrong, fmt.Errorf("there is no plugin %s; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(all)), ", ")))
			continue
		}
		set := cfg.Plugins[name]
		if set.Off() {
			continue
		}
		c := enrich.Configured{}
		make, own := builtin[name]
		switch {
		case own && len(set.Command) > 0:
			wrong = append(wrong, fmt.Errorf("plugin %s is built in and takes no command; give yours another name", name))
			continue
		case own:
			c.Plugin = make()
		case len(set.Command) == 0:
			wrong = append(wrong, fmt.Errorf("plugin %s is not built in, and its configuration names no command; built in are: %s", name, strings.Join(slices.Sorted(maps.Keys(builtin)), ", ")))
			continue
		default:
			p, err := remote.Start(context.WithoutCancel(ctx), remote.Options{Name: name, Command: set.Command, Dir: set.Dir, Env: set.Env, Log: log})
			if err != nil {
				wrong = append(wrong, err)
				continue
			}
			started = append(started, p)
			c.Plugin, c.Remote, c.Down = p.Plugin(), true, p.Down
		}
		text, err := cfg.CheckPlugin(name, c.Plugin.Describe().Config)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		c.Config = text
		list = append(list, c)
	}
	if err := errors.Join(wrong...); err != nil {
		done()
		return nil, func() {}, usage(err)
	}
	return list, done, nil
}

// services are the plugins that have services of their own.
func services(list []enrich.Configured) []plugins.Server {
	var out []plugins.Server
	for _, c := range list {
		if s, ok := c.Plugin.(plugins.Server); ok {
			out = append(out, s)
		}
	}
	return out
}
