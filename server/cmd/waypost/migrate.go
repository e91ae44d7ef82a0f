package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/jobs"
	"github.com/waypost-dev/waypost/server/store"
)

func (c *cli) migrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Show or apply the migrations of the database",
		Long: `Migrate shows or applies the migrations of the database. serve and harvest apply
them by themselves; this command is for those who want to do so at a time of
their own.`,
	}
	cmd.AddCommand(c.migrateStatus(), c.migrateUp())
	return cmd
}

func (c *cli) migrateStatus() *cobra.Command {
	var format string
	cmd := &cobra.Command{Use: "status", Short: "List the migrations, and which of them the database has", Args: cobra.NoArgs}
	s := settingsFlags(cmd, false)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := c.migrations(cmd.Context(), s, false)
		if err != nil {
			return err
		}
		return c.showMigrations(all, format)
	}
	return cmd
}

func (c *cli) migrateUp() *cobra.Command {
	var format string
	cmd := &cobra.Command{Use: "up", Short: "Apply the migrations that the database lacks", Args: cobra.NoArgs}
	s := settingsFlags(cmd, false)
	formatFlag(cmd, &format, "table", "table", "json", "yaml")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		all, err := c.migrations(cmd.Context(), s, true)
		if err != nil {
			return err
		}
		return c.showMigrations(all, format)
	}
	return cmd
}

func (c *cli) migrations(ctx context.Context, s *settings, apply bool) ([]store.Migration, error) {
	cfg, err := s.load(c)
	if err != nil {
		return nil, err
	}
	if !apply {
		if err := mustExist(cfg.DB); err != nil {
			return nil, err
		}
	}
	st, err := store.Open(ctx, cfg.DB, store.Options{NoMigrate: !apply})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	if apply {
		queue, err := jobs.New(ctx, st, nil, c.logger(cfg), jobs.Options{})
		if err == nil {
			err = queue.Stop(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	all, err := st.Migrations(ctx)
	if err != nil {
		return nil, err
	}
	queued, err := jobs.Migrations(ctx, st)
	return append(all, queued...), err
}

func (c *cli) showMigrations(all []store.Migration, format string) error {
	type shown struct {
		Version string `json:"version"`
		Name    string `json:"name"`
		Applied bool   `json:"applied"`
	}
	list := make([]shown, len(all))
	rows := make([][]string, len(all))
	for i, m := range all {
		list[i] = shown(m)
		rows[i] = []string{m.Version, m.Name, map[bool]string{true: "yes", false: "no"}[m.Applied]}
	}
	switch format {
	case "json":
		return c.out.JSON(map[string]any{"migrations": list})
	case "yaml":
		return c.out.YAML(map[string]any{"migrations": list})
	}
	return c.out.Table([]string{"VERSION", "NAME", "APPLIED"}, rows)
}

// mustExist refuses an embedded database that is not there: who only reads does
// not want a new one.
func mustExist(dsn string) error {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == ":memory:" {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return usagef("database %s: %w; waypost serve or waypost harvest --once make one", path, err)
	}
	return nil
}

// openRead opens a database that must exist already and is not migrated, so
// that reading it changes nothing.
func openRead(ctx context.Context, dsn string) (*store.Store, error) {
	if err := mustExist(dsn); err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, dsn, store.Options{NoMigrate: true})
	if err != nil {
		return nil, err
	}
	all, err := st.Migrations(ctx)
	if err != nil {
		st.Close()
		return nil, err
	}
	for _, m := range all {
		if !m.Applied {
			st.Close()
			return nil, fmt.Errorf("the database lacks migration %s_%s; run 'waypost migrate up --db %s'", m.Version, m.Name, dsn)
		}
	}
	return st, nil
}
