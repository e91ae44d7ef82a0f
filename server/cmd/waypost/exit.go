package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/client"
	"github.com/waypost-dev/waypost/server/cmd/waypost/internal/output"
	"github.com/waypost-dev/waypost/server/config"
	"github.com/waypost-dev/waypost/server/store"
)

// Exit codes; the root command's help explains them.
const (
	exitOK = iota
	exitFindings
	exitUsage
	exitAuth
	exitNotFound
	exitServer
)

// errFindings: the command did its work and found something wrong, which it
// has printed.
var errFindings = errors.New("findings")

// usageError is a mistake in how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func usagef(format string, args ...any) error { return usage(fmt.Errorf(format, args...)) }

// report prints the error of a command and returns its exit code.
func (c *cli) report(command string, err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errFindings) {
		return exitFindings
	}
	mark := c.err.Mark(output.Red, "error:")
	var mistakes config.Errors
	if errors.As(err, &mistakes) {
		for _, m := range mistakes {
			c.say("%s %s", mark, output.Clean(m.Error()))
		}
		return exitUsage
	}
	code, text := explain(err)
	for i, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }) {
		if i == 0 {
			line = mark + " " + output.Clean(line)
		} else {
			line = "  " + strings.TrimSpace(output.Clean(line))
		}
		c.say("%s", line)
	}
	var u usageError
	if errors.As(err, &u) {
		c.say("Run '%s --help' to see how it is used.", command)
	}
	return code
}

// explain is the exit code and text of an error.
func explain(err error) (int, string) {
	var u usageError
	switch {
	case errors.As(err, &u):
		return exitUsage, err.Error()
	case errors.Is(err, store.ErrBusy):
		return exitServer, err.Error() + "\nwait until it ends; to follow a server's harvest, run 'waypost harvest' without --once"
	case errors.Is(err, client.ErrUnknownKind):
		return exitNotFound, err.Error()
	case errors.Is(err, context.Canceled):
		return exitServer, "interrupted"
	}
	s, ok := status.FromError(err)
	if !ok {
		return exitServer, err.Error()
	}
	text := s.Message()
	for _, d := range s.Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				if !strings.Contains(text, v.GetDescription()) {
					text += "\n" + v.GetField() + ": " + v.GetDescription()
				}
			}
		}
	}
	switch s.Code() {
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		return exitUsage, text
	case codes.Unauthenticated, codes.PermissionDenied:
		return exitAuth, text
	case codes.NotFound:
		return exitNotFound, text
	case codes.Canceled:
		return exitServer, "interrupted"
	case codes.Unavailable:
		return exitServer, "the server cannot be reached: " + text +
			"\nstart one with 'waypost serve', name another with --server or WAYPOST_SERVER, or read a database with --db"
	default:
		return exitServer, text
	}
}
