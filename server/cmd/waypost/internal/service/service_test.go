package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// trace records what happens in which order.
type trace struct {
	mu     sync.Mutex
	events []string
}

func (tr *trace) add(e string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.events = append(tr.events, e)
}

func (tr *trace) service(name string) Service {
	stop := make(chan struct{})
	return Service{
		Name:  name,
		Start: func(context.Context) error { tr.add("start " + name); return nil },
		Serve: func() error { <-stop; tr.add("served " + name); return nil },
		Stop:  func(context.Context) error { tr.add("stop " + name); close(stop); return nil },
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	var tr trace
	ctx, cancel := context.WithCancel(context.Background())
	err := Run(ctx, slog.New(slog.DiscardHandler), time.Second, []Service{tr.service("a"), tr.service("b")}, func() {
		tr.add("ready")
		cancel()
	})
	require.NoError(t, err)
	require.Equal(t, []string{"start a", "start b", "ready", "stop b", "served b", "stop a", "served a"}, tr.events)
}

func TestFirstErrorStopsAll(t *testing.T) {
	t.Parallel()
	var tr trace
	broken := errors.New("broken")
	err := Run(context.Background(), slog.New(slog.DiscardHandler), time.Second, []Service{
		tr.service("a"),
		{Name: "b", Serve: func() error { return broken }},
		{Name: "c", Serve: func() error { return nil }},
	}, nil)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "b: broken")
	require.Equal(t, []string{"start a", "stop a", "served a"}, tr.events)
}

func TestFailureToStart(t *testing.T) {
	t.Parallel()
	var tr trace
	broken := errors.New("address in use")
	err := Run(context.Background(), slog.New(slog.DiscardHandler), time.Second, []Service{
		tr.service("a"),
		{Name: "b", Start: func(context.Context) error { return broken }, Stop: func(context.Context) error { panic("never started") }},
		tr.service("c"),
	}, func() { panic("never ready") })
	require.EqualError(t, err, "start b: address in use")
	require.Equal(t, []string{"start a", "stop a", "served a"}, tr.events)
}

func TestStopDuringStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	err := Run(ctx, slog.New(slog.DiscardHandler), time.Second, []Service{
		{Name: "slow", Start: func(ctx context.Context) error { cancel(); <-ctx.Done(); return ctx.Err() }},
	}, func() { panic("never ready") })
	require.NoError(t, err)
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		block := make(chan struct{})
		var tr trace
		begin := time.Now()
		err := Run(ctx, slog.New(slog.DiscardHandler), 5*time.Second, []Service{
			tr.service("a"),
			{Name: "stuck", Serve: func() error { <-block; return nil }},
		}, cancel)
		require.ErrorContains(t, err, "stop stuck: it did not end in time")
		require.Equal(t, 5*time.Second, time.Since(begin))
		// What is below it is told to stop all the same.
		require.Contains(t, tr.events, "stop a")
		close(block)
	})
}

func TestBackground(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	s := Background("loop", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	require.NoError(t, Run(ctx, slog.New(slog.DiscardHandler), time.Second, []Service{s}, cancel))
}
