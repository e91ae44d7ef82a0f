package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/store"
)

func (c *cli) backup() *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy an SQLite database while it is in use",
		Long: `Backup copies an SQLite database as it is at one moment, while a server reads and
writes it, into a new FILE. To restore it, stop the server and put the copy in the
database's place, without the files that end in -wal and -shm.

PostgreSQL has its own tools: pg_dump and pg_restore.`,
		Example: "  waypost backup --db sqlite:/var/lib/waypost/waypost.db /backup/waypost-2026-11-23.db",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&db, "db", "sqlite:waypost.db", "database, sqlite:PATH")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		st, err := openRead(cmd.Context(), db)
		if err != nil {
			return err
		}
		defer st.Close()
		if err := st.Backup(cmd.Context(), args[0]); err != nil {
			if errors.Is(err, store.ErrNoBackup) || errors.Is(err, os.ErrExist) {
				return usage(err)
			}
			return err
		}
		info, err := os.Stat(args[0])
		if err != nil {
			return fmt.Errorf("look at the backup: %w", err)
		}
		c.say("wrote %s, %d bytes", args[0], info.Size())
		return nil
	}
	return cmd
}
