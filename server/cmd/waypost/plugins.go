package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
	"github.com/waypost-dev/waypost/server/catalog"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/follow"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/enrich"
	"github.com/waypost-dev/waypost/server/index"
	"github.com/waypost-dev/waypost/server/store"
)

func (c *cli) plugins() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugins",
		Short: "Show the plugins of a server, what they say, and how they run",
		Long: `Plugins say facts of entities: who owns them, how healthy they are. A server asks
them for what changed or went stale, and keeps their last good facts when they
fail.

Without a subcommand it is as 'waypost plugins list'.`,
		Example: "  waypost plugins\n  waypost plugins describe ownership",
	}
	list := c.pluginsList()
	cmd.RunE, cmd.Args = list.RunE, cobra.NoArgs
	cmd.Flags().AddFlagSet(list.Flags())
	cmd.AddCommand(c.pluginsList(), c.pluginsDescribe(), c.pluginsRun(), c.pluginsTest())
	return cmd
}

func (c *cli) pluginsList() *cobra.Command {
	var format string
	cmd := &cobra.Command{Use: "list", Short: "List plugins and how they do", Args: cobra.NoArgs, Example: "  waypost plugins list -o json"}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Plugins.ListPlugins(cmd.Context(), &pluginv1.ListPluginsRequest{})
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(answer)
		case "yaml":
			return c.out.YAML(answer)
		}
		rows := make([][]string, len(answer.GetPlugins()))
		for i, p := range answer.GetPlugins() {
			d := p.GetDescriptor_()
			rows[i] = []string{
				d.GetName(), d.GetVersion(), pluginState(p), roleWords(d.GetRoles()), strconv.FormatInt(p.GetEntities(), 10),
				strconv.FormatInt(p.GetWaiting(), 10), strconv.FormatInt(p.GetFailed(), 10), strconv.FormatInt(p.GetStale(), 10), clockTime(p.GetRunTime()), p.GetError(),
			}
		}
		if len(rows) == 0 {
			c.say("This server runs no plugins.")
			return nil
		}
		return c.out.Table([]string{"NAME", "VERSION", "STATE", "ROLES", "ENTITIES", "WAITING", "FAILED", "STALE", "LAST RUN", "ERROR"}, rows)
	}
	return cmd
}

func pluginState(p *pluginv1.Plugin) string {
	return strings.ToLower(strings.TrimPrefix(p.GetState().String(), "STATE_"))
}

func roleWords(roles []pluginv1.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = strings.ToLower(strings.TrimPrefix(r.String(), "ROLE_"))
	}
	return strings.Join(words, ",")
}

func (c *cli) pluginsDescribe() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "describe NAME", Short: "Show what a plugin says, what it can be configured with, and its last runs", Args: cobra.ExactArgs(1),
		Example: "  waypost plugins describe ownership",
	}
	t := serverFlag(cmd)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Plugins.GetPlugin(cmd.Context(), &pluginv1.GetPluginRequest{Plugin: args[0]})
		if err != nil {
			return err
		}
		switch format {
		case "json":
			return c.out.JSON(answer.GetPlugin())
		case "yaml":
			return c.out.YAML(answer.GetPlugin())
		}
		runs, err := cl.Plugins.ListPluginRuns(cmd.Context(), &pluginv1.ListPluginRunsRequest{Plugin: args[0], PageSize: 10})
		if err != nil {
			return err
		}
		return c.describePlugin(answer.GetPlugin(), runs.GetRuns())
	}
	return cmd
}

func (c *cli) describePlugin(p *pluginv1.Plugin, runs []*pluginv1.Run) error {
	d := p.GetDescriptor_()
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(c.out, "%-10s %s\n", name+":", output.Clean(value))
		}
	}
	line("Plugin", d.GetName()+" "+d.GetVersion())
	line("Summary", d.GetSummary())
	line("State", pluginState(p))
	line("Error", p.GetError())
	line("Roles", roleWords(d.GetRoles()))
	line("Kinds", strings.Join(d.GetKinds(), ", "))
	line("Entities", fmt.Sprintf("%d answered, %d waiting, %d failed, %d stale", p.GetEntities(), p.GetWaiting(), p.GetFailed(), p.GetStale()))
	fmt.Fprintln(c.out)
	rows := make([][]string, len(d.GetFacts()))
	for i, f := range d.GetFacts() {
		fresh := "until something changes"
		if f.GetFreshness() != nil {
			fresh = f.GetFreshness().AsDuration().String()
		}
		filter := ""
		if f.GetFilterable() {
			filter = "yes"
		}
		rows[i] = []string{f.GetKey(), f.GetTitle(), f.GetUnit(), fresh, filter, f.GetDescription()}
	}
	if err := c.out.Table([]string{"FACT", "TITLE", "UNIT", "FRESH", "FILTER", "MEANING"}, rows); err != nil {
		return err
	}
	if fields := d.GetConfigSchema().GetFields()["properties"].GetStructValue().GetFields(); len(fields) > 0 {
		fmt.Fprintln(c.out)
		if err := c.out.Table([]string{"SETTING", "TYPE", "DEFAULT", "MEANING"}, settingRows("", d.GetConfigSchema().AsMap())); err != nil {
			return err
		}
	}
	if len(runs) == 0 {
		return nil
	}
	fmt.Fprintln(c.out)
	rows = make([][]string, len(runs))
	for i, r := range runs {
		rows[i] = []string{
			clockTime(r.GetStartTime()), roleWords([]pluginv1.Role{r.GetRole()}), r.GetEndTime().AsTime().Sub(r.GetStartTime().AsTime()).Round(time.Millisecond).String(),
			strconv.Itoa(int(r.GetAsked())), strconv.Itoa(int(r.GetAnswered())), strconv.Itoa(int(r.GetChanged())), strconv.Itoa(int(r.GetRefused())), r.GetError(),
		}
	}
	return c.out.Table([]string{"RUN", "ROLE", "TOOK", "ASKED", "ANSWERED", "CHANGED", "REFUSED", "ERROR"}, rows)
}

// settingRows tells of the properties of a JSON Schema, those of objects below
// them with a dot.
func settingRows(prefix string, schema map[string]any) [][]string {
	var rows [][]string
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, _ := properties[name].(map[string]any)
		text := func(key string) string {
			switch v := p[key].(type) {
			case nil:
				return ""
			case string:
				return v
			default:
				b, _ := json.Marshal(v) // it came from JSON
				return string(b)
			}
		}
		typ := text("type")
		if typ == "" {
			typ = text("enum")
		}
		rows = append(rows, []string{prefix + name, typ, text("default"), text("description")})
		rows = append(rows, settingRows(prefix+name+".", p)...)
	}
	return rows
}

func (c *cli) pluginsRun() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run NAME [REF…]",
		Short: "Have a plugin asked again, about some entities or all",
		Long: `Run has a server ask a plugin again: to read its outside system, if it has one,
and about the entities named, or all that it speaks of. It returns at once; the
run shows in 'waypost plugins describe NAME'.`,
		Example: "  waypost plugins run ownership\n  waypost plugins run ownership component:default/web",
		Args:    cobra.MinimumNArgs(1),
	}
	t := serverFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cl, err := t.connect(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer cl.Close()
		answer, err := cl.Plugins.RunPlugin(cmd.Context(), &pluginv1.RunPluginRequest{Plugin: args[0], Refs: args[1:]})
		if err != nil {
			return err
		}
		c.say("plugin %s is asked again about %d entities", output.Clean(args[0]), answer.GetEntities())
		return nil
	}
	return cmd
}

func (c *cli) pluginsTest() *cobra.Command {
	var format string
	var few int
	cmd := &cobra.Command{
		Use:   "test NAME [REF…]",
		Short: "Ask a configured plugin about some entities, and keep nothing",
		Long: `Test starts a plugin of the configuration, asks it about entities of the
database, one by one, and shows what it says, or why that would be refused: a
fact that it does not declare, a value that is not of the declared schema, an
answer too late or too large. Nothing is written. Name entities, or it takes the
first few that the plugin speaks of. It exits with 1 if an answer is refused.`,
		Example: "  waypost plugins test licences --config waypost.yaml component:default/web",
		Args:    cobra.MinimumNArgs(1),
	}
	s := settingsFlags(cmd, false)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.Flags().IntVar(&few, "few", 5, "how many entities to ask about, if none is named")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := s.load(c)
		if err != nil {
			return err
		}
		refs := make([]catalog.Ref, len(args)-1)
		for i, text := range args[1:] {
			if refs[i], err = catalog.ParseRef(text, catalog.RefContext{Kind: "component"}); err != nil {
				return usage(err)
			}
		}
		tried, err := c.tryPlugin(cmd.Context(), cfg, args[0], refs, few)
		if err != nil {
			return err
		}
		return c.showTried(tried, format)
	}
	return cmd
}

func (c *cli) tryPlugin(ctx context.Context, cfg *config.Config, name string, refs []catalog.Ref, few int) ([]enrich.Tried, error) {
	log := c.logger(cfg)
	st, err := store.Open(ctx, cfg.DB, store.Options{NoMigrate: true})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	run, stop, err := configured(ctx, cfg, log, name)
	if err != nil {
		return nil, err
	}
	defer stop()
	if len(run) == 0 {
		return nil, usagef("plugin %s is switched off", name)
	}
	e, done, err := engine(cfg, st, log)
	if err != nil {
		return nil, err
	}
	defer done()
	x := index.New()
	follower := follow.New(st, x, slog.New(slog.DiscardHandler))
	if err := follower.Load(ctx); err != nil {
		return nil, err
	}
	runner, err := enrich.New(ctx, enrich.Options{Store: st, Index: x, Feed: follower.Feed(), Log: log, Inspector: newInspector(e)}, run)
	if err != nil {
		return nil, usage(err)
	}
	return runner.Try(ctx, name, refs, few)
}

func (c *cli) showTried(tried []enrich.Tried, format string) error {
	type fact struct {
		Entity   string             `json:"entity"`
		Key      string             `json:"key,omitempty"`
		Value    json.RawMessage    `json:"value,omitempty"`
		Evidence []catalog.Evidence `json:"evidence,omitempty"`
		Refused  string             `json:"refused,omitempty"`
		Millis   float64            `json:"milliseconds"`
	}
	facts := []fact{}
	refused := 0
	for _, t := range tried {
		ref, took := t.Entity.Ref.String(), float64(t.Took.Microseconds())/1000
		if t.Refused != nil {
			refused++
			facts = append(facts, fact{Entity: ref, Refused: t.Refused.Error(), Millis: took})
			continue
		}
		for _, f := range t.Facts {
			facts = append(facts, fact{Entity: ref, Key: f.Key, Value: f.Value, Evidence: f.Evidence, Millis: took})
		}
	}
	var err error
	switch format {
	case "json":
		err = c.out.JSON(map[string]any{"facts": facts})
	case "yaml":
		err = c.out.YAML(map[string]any{"facts": facts})
	default:
		rows := make([][]string, len(facts))
		for i, f := range facts {
			rows[i] = []string{f.Entity, f.Key, string(f.Value), strconv.Itoa(len(f.Evidence)), f.Refused}
		}
		err = c.out.Table([]string{"ENTITY", "FACT", "VALUE", "EVIDENCE", "REFUSED"}, rows)
		c.say("%d entities asked about, %d answers refused", len(tried), refused)
	}
	if err == nil && refused > 0 {
		err = errFindings
	}
	return err
}
