package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is one run of a plugin's command, as go-plugin wants to see it. It
// leads a process group of its own, so that nothing that it started outlives it,
// and has no open files but its output.
type process struct {
	cmd            *exec.Cmd
	home           string // where its socket must lie
	stdout, stderr io.ReadCloser
	out, err       *lines

	gone   chan struct{} // closed when it has exited
	reason error         // then says how; never nil
}

func newProcess(cmd *exec.Cmd, home string, out, errs *lines) (*process, error) {
	p := &process{cmd: cmd, home: home, out: out, err: errs, gone: make(chan struct{})}
	cmd.Stdin = nil // the null device, and not the server's own input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if p.stderr, err = cmd.StderrPipe(); err != nil {
		return nil, err
	}
	return p, nil
}

// Start starts it, and watches for its end. Its output is not waited for: what
// it started may hold it open.
func (p *process) Start(context.Context) error {
	if err := p.cmd.Start(); err != nil {
		p.reason = err
		close(p.gone)
		return err
	}
	go func() {
		state, err := p.cmd.Process.Wait()
		switch {
		case err != nil:
			p.reason = fmt.Errorf("its process was lost: %w", err)
		default:
			p.reason = fmt.Errorf("its process ended: %s", state)
		}
		p.signal(syscall.SIGKILL) // what it left behind in its group
		close(p.gone)
		// A last word is read, but what escaped the group cannot keep us waiting.
		time.AfterFunc(time.Second, p.closePipes)
	}()
	return nil
}

func (p *process) closePipes() {
	_ = p.stdout.Close()
	_ = p.stderr.Close()
}

// signal reaches the whole group. That it is gone already is no matter.
func (p *process) signal(s syscall.Signal) {
	if p.cmd.Process != nil {
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// stop ends it: politely, and after a while not.
func (p *process) stop(polite time.Duration) {
	if p.cmd.Process == nil {
		return
	}
	select {
	case <-p.gone:
		return
	default:
	}
	if polite > 0 {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.gone:
			return
		case <-time.After(polite):
		}
	}
	p.signal(syscall.SIGKILL)
	<-p.gone
}

// Wait waits for its end.
func (p *process) Wait(context.Context) error {
	<-p.gone
	p.closePipes()
	return nil
}

// Kill ends it at once.
func (p *process) Kill(context.Context) error {
	p.stop(0)
	return nil
}

// Stdout is the first line, with which it shakes hands. What follows is logged.
func (p *process) Stdout() io.ReadCloser {
	return &greeting{r: bufio.NewReaderSize(p.stdout, 4<<10), rest: p.out}
}

// Stderr logs what comes, and gives nothing on.
func (p *process) Stderr() io.ReadCloser {
	return &greeting{r: bufio.NewReaderSize(p.stderr, 4<<10), rest: p.err, done: true}
}

// Name is the command's.
func (p *process) Name() string { return p.cmd.Path }

// ID is the number of the process.
func (p *process) ID() string {
	if p.cmd.Process == nil {
		return ""
	}
	return fmt.Sprint(p.cmd.Process.Pid)
}

// Diagnose has nothing to add.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost leaves an address as it is: both sides see the same files.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || !within(p.home, address) {
		return "", "", fmt.Errorf("it listens on %.20q %.200q; only a Unix socket in the folder of PLUGIN_UNIX_SOCKET_DIR will do", network, address)
	}
	return network, address, nil
}

// HostToPlugin leaves an address as it is.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// greeting reads one line and then logs the rest, however much it is: go-plugin
// itself stops reading at a long line, and the plugin would hang in its next
// write.
type greeting struct {
	r    *bufio.Reader
	rest *lines
	done bool

	once sync.Once
	line []byte
}

func (g *greeting) Read(b []byte) (int, error) {
	if !g.done && g.line == nil {
		line, err := g.r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return 0, errors.New("the first line of its standard output is no handshake: it is too long")
		}
		if len(line) == 0 {
			return 0, err
		}
		g.line = append([]byte{}, line...)
	}
	if len(g.line) > 0 {
		n := copy(b, g.line)
		g.line = g.line[n:]
		g.done = len(g.line) == 0
		return n, nil
	}
	_, err := io.Copy(g.rest, g.r)
	g.once.Do(g.rest.end)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		return 0, err
	}
	return 0, io.EOF
}

func (g *greeting) Close() error { return nil }
