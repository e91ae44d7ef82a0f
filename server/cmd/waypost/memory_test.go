package main

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

// Not parallel: it is the whole process that collects.
func TestCollect(t *testing.T) {
	percent := func() int {
		now := debug.SetGCPercent(100)
		debug.SetGCPercent(now)
		return now
	}
	before := percent()
	c := &cli{}
	done := c.collect(fillPercent)
	require.Equal(t, fillPercent, percent())
	done()
	require.Equal(t, before, percent())

	c.environ = []string{"GOGC=80"} // GOGC takes precedence
	done = c.collect(fillPercent)
	require.Equal(t, before, percent())
	done()
	require.Equal(t, before, percent())
}
