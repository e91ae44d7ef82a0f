// Command waypost is the whole product: the server, and the command line that
// asks it. Each subcommand has a file of its own and only wires parts together.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}
