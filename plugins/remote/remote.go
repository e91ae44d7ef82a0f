package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/waypost-dev/waypost/plugins"
	pluginv1 "github.com/waypost-dev/waypost/proto/waypost/plugin/v1"
)

// Options say what to start, and what it may have.
type Options struct {
	// Name is the plugin's, as its descriptor must say it.
	Name string
	// Command is the program and its arguments. A program without a slash is
	// looked for in the server's PATH, another one from Dir.
	Command []string
	// Dir is the folder in which it runs; empty for the server's own.
	Dir string
	// Env names the variables of the server's environment that it gets, beside
	// PATH, LANG, and HOME and TMPDIR, which are a folder of its own. Secrets
	// belong in the configuration instead, which other processes cannot read.
	Env []string
	// Log takes what it writes and what becomes of it; nil for slog.Default.
	Log *slog.Logger
	// StartTimeout is how long it may take to shake hands and to describe itself,
	// each; default 10 s.
	StartTimeout time.Duration
	// Backoff is how long after its end it is started again. It doubles each time
	// that the process ends without having answered anything, up to MaxBackoff.
	// The defaults are 1 s and 1 min.
	Backoff, MaxBackoff time.Duration
}

// ErrDown: the process is not there.
var ErrDown = errors.New("the plugin's process is not there")

// Remote is a plugin in a process of its own, which it starts again when it
// ends. Safe for concurrent use.
type Remote struct {
	o      Options
	log    *slog.Logger
	home   string // HOME and TMPDIR of the process, and where its socket lies
	wire   *pluginv1.Descriptor
	d      plugins.Descriptor
	cancel context.CancelFunc
	done   chan struct{} // closed when the supervisor has ended

	mu     sync.Mutex
	run    *run
	down   error // why run is nil
	config *structpb.Struct
	given  bool // config was given
}

// run is one life of the process.
type run struct {
	client  *goplugin.Client
	process *process
	service pluginv1.RemoteServiceClient

	mu       sync.Mutex
	answered bool
	why      error // it was ended by us
}

// Start starts a plugin and asks it to describe itself. It runs until ctx ends
// or Stop. An error tells what of this failed; then nothing runs.
func Start(ctx context.Context, o Options) (*Remote, error) {
	if len(o.Command) == 0 || o.Command[0] == "" {
		return nil, fmt.Errorf("plugin %s: command is empty; name the program to run", o.Name)
	}
	o.StartTimeout = cmp.Or(o.StartTimeout, 10*time.Second)
	o.Backoff, o.MaxBackoff = cmp.Or(o.Backoff, time.Second), cmp.Or(o.MaxBackoff, time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	home, err := os.MkdirTemp("", "waypost-plugin-") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("start plugin %s: %w", o.Name, err)
	}
	r := &Remote{o: o, log: o.Log.With("plugin", o.Name), home: home, done: make(chan struct{})}
	first, err := r.start(ctx)
	if err != nil {
		_ = os.RemoveAll(home)
		return nil, fmt.Errorf("start plugin %s: %w", o.Name, err)
	}
	r.run = first
	ctx, r.cancel = context.WithCancel(ctx)
	go r.supervise(ctx, first)
	return r, nil
}

// Stop ends the process, and all that it started. It gets SIGTERM and a second.
func (r *Remote) Stop() {
	r.cancel()
	<-r.done
}

// Describe is what the plugin said when it was first started.
func (r *Remote) Describe() plugins.Descriptor { return r.d }

// Down tells why the process is not there; nil if it is.
func (r *Remote) Down() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.run == nil {
		return r.down
	}
	select {
	case <-r.run.process.gone:
		return fmt.Errorf("%w: %w", ErrDown, r.run.process.reason)
	default:
		return nil
	}
}

// Configure hands the configuration over, now and after each restart. The host
// is of no use to another process, which has none of its rights.
func (r *Remote) Configure(ctx context.Context, config json.RawMessage, _ plugins.Host) error {
	var fields map[string]any
	if err := json.Unmarshal(config, &fields); err != nil {
		return fmt.Errorf("the configuration must be a mapping: %w", err)
	}
	var s *structpb.Struct // none is not the same as an empty one
	if fields != nil {
		var err error
		if s, err = structpb.NewStruct(fields); err != nil {
			return err
		}
	}
	r.mu.Lock()
	r.config, r.given = s, true
	r.mu.Unlock()
	return r.call(ctx, func(ctx context.Context, service pluginv1.RemoteServiceClient) error {
		_, err := service.Configure(ctx, &pluginv1.ConfigureRequest{Config: s})
		return err
	})
}

// supervise starts the process again whenever it ended.
func (r *Remote) supervise(ctx context.Context, current *run) {
	defer close(r.done)
	defer func() { _ = os.RemoveAll(r.home) }()
	wait := r.o.Backoff
	for {
		select {
		case <-current.process.gone:
		case <-ctx.Done():
			r.gone(fmt.Errorf("%w: it was stopped", ErrDown))
			current.end(time.Second)
			return
		}
		current.mu.Lock()
		why, answered := cmp.Or(current.why, current.process.reason), current.answered
		current.mu.Unlock()
		if answered {
			wait = r.o.Backoff
		}
		current.end(0)
		for current = nil; current == nil; {
			r.gone(fmt.Errorf("%w: %w; it is started again %s later", ErrDown, why, wait))
			r.log.Warn("a plugin's process is not there", "error", why, "again", wait)
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				r.gone(fmt.Errorf("%w: it was stopped", ErrDown))
				return
			}
			wait = min(2*wait, r.o.MaxBackoff)
			current, why = r.restart(ctx)
		}
		r.log.Info("a plugin's process was started again", "pid", current.process.ID())
	}
}

func (r *Remote) gone(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run, r.down = nil, why
}

// restart starts the process, and configures it as it was.
func (r *Remote) restart(ctx context.Context) (*run, error) {
	next, err := r.start(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	config, given := r.config, r.given
	r.mu.Unlock()
	if given {
		limited, cancel := context.WithTimeout(ctx, r.d.Limits.Effective().Deadline)
		defer cancel()
		if _, err := next.service.Configure(limited, &pluginv1.ConfigureRequest{Config: config}); err != nil {
			next.end(0)
			return nil, fmt.Errorf("it does not take its configuration: %w", plain(err))
		}
	}
	r.mu.Lock()
	r.run, r.down = next, nil
	r.mu.Unlock()
	return next, nil
}

// start starts the process and holds its descriptor against the one before.
func (r *Remote) start(ctx context.Context) (*run, error) {
	limit := newLineLimit()
	out, errs := newLines(r.log, "stdout", limit), newLines(r.log, "stderr", limit)
	var p *process
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          goplugin.PluginSet{dispensed: link{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     r.o.StartTimeout,
		Logger:           hclog.NewNullLogger(), // what it tells is in our errors
		SyncStdout:       out,
		SyncStderr:       errs,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: r.home},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
			grpc.WithMaxHeaderListSize(64 << 10),
		},
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, _ string) (runner.Runner, error) {
			cmd := exec.Command(r.o.Command[0], r.o.Command[1:]...)
			cmd.Dir = r.o.Dir
			cmd.Env = append(r.environment(), spec.Env...)
			var err error
			p, err = newProcess(cmd, r.home, out, errs)
			return p, err
		},
	})
	next := &run{client: client}
	fail := func(err error) (*run, error) {
		if p != nil {
			next.process = p
			next.end(0)
		}
		return nil, err
	}
	protocol, err := client.Client()
	next.process = p
	if err != nil {
		// The reason why a process ended tells more than that it did.
		if p != nil && p.cmd.Process != nil {
			select {
			case <-p.gone:
				err = fmt.Errorf("%w: %w", p.reason, err)
			default:
			}
		}
		return fail(err)
	}
	service, err := protocol.Dispense(dispensed)
	if err != nil {
		return fail(err)
	}
	next.service = service.(pluginv1.RemoteServiceClient)
	limited, cancel := context.WithTimeout(ctx, r.o.StartTimeout)
	defer cancel()
	said, err := next.service.Describe(limited, &pluginv1.DescribeRequest{})
	if err != nil {
		return fail(fmt.Errorf("it does not describe itself: %w", plain(err)))
	}
	if r.wire == nil {
		d, err := descriptorFrom(said.GetDescriptor_())
		switch {
		case err != nil:
		case d.Name != r.o.Name:
			err = fmt.Errorf("it is configured as %s and calls itself %q; name it so in the configuration", r.o.Name, d.Name)
		default:
			err = d.Check()
		}
		if err != nil {
			return fail(err)
		}
		r.wire, r.d = said.GetDescriptor_(), d
	} else if !proto.Equal(r.wire, said.GetDescriptor_()) {
		return fail(fmt.Errorf("it describes itself otherwise than before (version %s, before %s); restart the server to take it as it is now",
			said.GetDescriptor_().GetVersion(), r.wire.GetVersion()))
	}
	return next, nil
}

// environment is all that the process gets of it.
func (r *Remote) environment() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "LANG=" + cmp.Or(os.Getenv("LANG"), "C.UTF-8"), "HOME=" + r.home, "TMPDIR=" + r.home}
	for _, name := range r.o.Env {
		if value, ok := os.LookupEnv(name); ok && !slices.Contains([]string{"PATH", "LANG", "HOME", "TMPDIR"}, name) {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// end ends the process, and waits for what reads from it.
func (c *run) end(polite time.Duration) {
	c.process.stop(polite)
	c.client.Kill()
}

// call runs f with the process that is there. A call beyond its deadline costs
// the process its life: one that minds its deadline returns by itself, and in
// another the call would run on.
func (r *Remote) call(ctx context.Context, f func(context.Context, pluginv1.RemoteServiceClient) error) error {
	r.mu.Lock()
	current, down := r.run, r.down
	r.mu.Unlock()
	if current == nil {
		return down
	}
	err := f(ctx, current.service)
	if err == nil {
		current.mu.Lock()
		current.answered = true
		current.mu.Unlock()
		return nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		current.mu.Lock()
		current.why = errors.New("it did not answer by its deadline, and was ended")
		current.mu.Unlock()
		current.process.stop(0)
		return ctx.Err()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if code := status.Code(err); code == codes.Unavailable || code == codes.Canceled {
		// The connection breaks, or is closed, a moment before or after the end of
		// the process is seen.
		select {
		case <-current.process.gone:
			return fmt.Errorf("%w: %w", ErrDown, current.process.reason)
		case <-time.After(200 * time.Millisecond):
		}
	}
	return plain(err)
}

// plain is what a plugin said went wrong, without gRPC's own words.
func plain(err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	message := s.Message()
	if len(message) > 4<<10 {
		message = message[:4<<10]
	}
	message = strings.ToValidUTF8(message, "\uFFFD")
	switch s.Code() {
	case codes.Unknown:
		return errors.New(message)
	default:
		return fmt.Errorf("%s: %s", s.Code(), message)
	}
}

// within tells whether a socket lies in the folder of the plugin.
func within(dir, address string) bool {
	rel, err := filepath.Rel(dir, address)
	return err == nil && filepath.IsLocal(rel)
}
