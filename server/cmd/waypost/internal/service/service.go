// Package service runs the long-lived parts of a process as one group: started
// in order, stopped in reverse order, all stopped when the first one fails.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Service is one long-lived part. Every function may be nil.
type Service struct {
	Name string
	// Start returns when the service can be used by those that follow it. Its
	// context ends when the group is told to stop; nothing that outlives Start
	// may hang on it.
	Start func(context.Context) error
	// Serve runs from Start until Stop. Returning an error stops the group;
	// returning nil does not.
	Serve func() error
	// Stop makes Serve return. Its context ends at the group's deadline. It is
	// called once, and only if Start succeeded.
	Stop func(context.Context) error
}

// Background is a service that runs until its context ends.
func Background(name string, run func(context.Context) error) Service {
	ctx, cancel := context.WithCancel(context.Background())
	return Service{
		Name: name,
		Serve: func() error {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			return nil
		},
		Stop: func(context.Context) error { cancel(); return nil },
	}
}

// Run starts the services, calls ready, waits until ctx ends or a service
// fails, and stops them all within timeout from then on. It returns the first
// error of each service; a plain stop is none.
func Run(ctx context.Context, log *slog.Logger, timeout time.Duration, services []Service, ready func()) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)

	var started []running
	err := func() error {
		for _, s := range services {
			if s.Start != nil {
				if err := s.Start(ctx); err != nil {
					if ctx.Err() != nil && errors.Is(err, context.Canceled) {
						return nil
					}
					return fmt.Errorf("start %s: %w", s.Name, err)
				}
			}
			log.Debug("started", "service", s.Name)
			started = append(started, serve(s, fail))
			if ctx.Err() != nil { // told to stop meanwhile, which is no failure
				return nil //nolint:nilerr
			}
		}
		if ready != nil {
			ready()
		}
		<-ctx.Done()
		return nil
	}()

	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	errs := []error{err}
	for i := len(started) - 1; i >= 0; i-- {
		begin := time.Now()
		errs = append(errs, started[i].stop(deadline))
		log.Debug("stopped", "service", started[i].Name, "took", time.Since(begin))
	}
	return errors.Join(errs...)
}

type running struct {
	Service
	done chan error
}

func serve(s Service, fail context.CancelCauseFunc) running {
	r := running{Service: s, done: make(chan error, 1)}
	if s.Serve == nil {
		close(r.done)
		return r
	}
	go func() {
		err := s.Serve()
		if err != nil {
			err = fmt.Errorf("%s: %w", s.Name, err)
			fail(err)
		}
		r.done <- err
	}()
	return r
}

func (r running) stop(ctx context.Context) error {
	var err error
	if r.Stop != nil {
		if err = r.Stop(ctx); err != nil {
			err = fmt.Errorf("stop %s: %w", r.Name, err)
		}
	}
	select {
	case served := <-r.done:
		return errors.Join(served, err)
	case <-ctx.Done():
		return errors.Join(err, fmt.Errorf("stop %s: it did not end in time", r.Name))
	}
}
