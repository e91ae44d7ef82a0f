package main

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
)

// cli is what all subcommands share.
type cli struct {
	in      io.Reader
	out     *output.Printer // data
	err     *output.Printer // messages
	environ []string
}

// getenv is os.Getenv over environ.
func (c *cli) getenv(name string) string {
	for _, e := range slices.Backward(c.environ) {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// say prints a message for people.
func (c *cli) say(format string, args ...any) {
	fmt.Fprintf(c.err, format+"\n", args...)
}

// run is the program; it returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	c := &cli{in: stdin, environ: environ}
	c.out, c.err = output.New(stdout, c.getenv), output.New(stderr, c.getenv)

	// The first signal asks to stop; the second one ends the process as if
	// nobody had listened.
	ctx, listen := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer listen()
	context.AfterFunc(ctx, listen)

	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	// An error before a command runs is a mistake in how it was called.
	running := false
	mark(root, &running)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !running {
		err = usage(err)
	}
	return c.report(cmd.CommandPath(), err)
}

// mark makes every command set running when it begins.
func mark(cmd *cobra.Command, running *bool) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*running = true
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		mark(sub, running)
	}
}

func (c *cli) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "waypost",
		Short: "A developer portal backend in one binary",
		Long: `Waypost knows every service that an organisation runs: who owns it, what it
depends on, where it is declared, and what is wrong with its declaration.

Data goes to standard output, messages to standard error. Exit codes:
  0  fine
  1  there are findings, or a harvest failed
  2  wrong usage or configuration
  3  not allowed
  4  not found
  5  the server or the database failed`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       buildVersion().String(),
	}
	cmd.SetVersionTemplate("{{.Version}}\n")
	cmd.AddCommand(
		c.serve(), c.harvest(), c.jobs(), c.migrate(), c.backup(), c.config(),
		c.get(), c.describe(), c.search(), c.graph(), c.problems(), c.watch(),
		c.history(), c.diff(),
		c.validate(), c.plan(), c.location(), c.refresh(), c.plugins(), c.owner(), c.whoowns(), c.ownership(), c.importCommand(), c.exportCommand(), c.openAPI(), c.version(),
	)
	return cmd
}
