package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/tidwall/gjson"
)

var update = flag.Bool("update", false, "write the expected output in the scripts anew")

// The scripts run this test binary under the name waypost: real processes, real
// signals, real ports.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"waypost": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
			for _, who := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+who+"_NAME", "Ada")
				env.Setenv("GIT_"+who+"_EMAIL", "ada@example.org")
				env.Setenv("GIT_"+who+"_DATE", "2026-01-02T03:04:05Z")
			}
			// Nothing listens there: a script that names no server must not find
			// one that happens to run on this machine.
			env.Setenv("WAYPOST_SERVER", "127.0.0.1:1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "serve": serve, "stop": stop, "fetch": fetch, "json": jsonField, "eventually": eventually, "jobid": jobID, "web": web,
		},
	})
}

// exits CODE PROGRAM ARG… runs a program that must exit with CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// serving is a server under test.
type serving struct {
	cmd    *exec.Cmd
	exited chan error
	stderr string // file
}

// serve ARG… starts waypost serve on free ports, waits until its first harvest
// is done, and sets $HTTP and $GRPC. One at a time.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: serve ARG…")
	}
	s := &serving{exited: make(chan error, 1), stderr: ts.MkAbs("serve.stderr")}
	// testscript.Main put the program first in the script's path.
	program := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], "waypost")
	s.cmd = exec.Command(program, append([]string{"serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"}, args...)...)
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "HOME="+ts.Getenv("HOME"))
	stderr, err := os.Create(s.stderr)
	ts.Check(err)
	s.cmd.Stderr = stderr
	out, err := s.cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		_ = s.cmd.Process.Kill()
		stderr.Close()
	})
	lines := make(chan string)
	go func() {
		defer close(lines)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			lines <- sc.Text()
		}
		s.exited <- s.cmd.Wait()
	}()
	deadline := time.After(60 * time.Second)
	harvested := false
	for !harvested {
		select {
		case line, ok := <-lines:
			if !ok {
				ts.Fatalf("serve ended: %s", ts.ReadFile("serve.stderr"))
			}
			ts.Logf("[serve] %s", line)
			if rest, ok := strings.CutPrefix(line, "serving "); ok {
				for _, pair := range strings.Fields(rest) {
					key, value, _ := strings.Cut(pair, "=")
					ts.Setenv(strings.ToUpper(key), value)
				}
			}
			harvested = strings.HasPrefix(line, "harvested ")
		case <-deadline:
			ts.Fatalf("serve did not harvest in time: %s", ts.ReadFile("serve.stderr"))
		}
	}
	go func() {
		for range lines {
		}
	}()
	running.Store(ts, s)
}

// running are the servers by script.
var running sync.Map

// stop ends the server, which must exit with 0 in time.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	found, ok := running.LoadAndDelete(ts)
	if !ok || neg || len(args) > 0 {
		ts.Fatalf("usage: stop, after serve")
	}
	s := found.(*serving)
	begin := time.Now()
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-s.exited:
		if err != nil {
			ts.Fatalf("serve: %v: %s", err, ts.ReadFile("serve.stderr"))
		}
		ts.Logf("[stopped in %s]", time.Since(begin).Round(time.Millisecond))
	case <-time.After(20 * time.Second):
		ts.Fatalf("serve did not stop in time: %s", ts.ReadFile("serve.stderr"))
	}
}

// fetch PATH [FILE] gets a page from the server into FILE, page if not given.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: fetch PATH [FILE]")
	}
	resp, err := http.Get("http://" + ts.Getenv("HTTP") + args[0])
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if ok := resp.StatusCode == http.StatusOK; ok == neg {
		ts.Fatalf("GET %s: %s: %s", args[0], resp.Status, body)
	}
	file := "page"
	if len(args) > 1 {
		file = args[1]
	}
	ts.Check(os.WriteFile(ts.MkAbs(file), body, 0o600))
}

// web DIR serves the files of a folder on loopback and sets $WEB to its HOST:PORT.
func web(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: web DIR")
	}
	s := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(s.Close)
	ts.Setenv("WEB", s.Listener.Addr().String())
}

// json FILE PATH [VALUE] checks that the value at a gjson path of a JSON file is
// VALUE, or that there is one. The file may be stdout.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: json FILE PATH [VALUE]")
	}
	text := ts.ReadFile(args[0])
	if !json.Valid([]byte(text)) {
		ts.Fatalf("%s is not JSON: %s", args[0], text)
	}
	got := gjson.Get(text, args[1])
	ok := got.Exists()
	if len(args) == 3 {
		ok = ok && got.String() == args[2]
	}
	if ok == neg {
		ts.Fatalf("%s is %s", args[1], fmt.Sprintf("%.300s", got.Raw))
	}
}

// eventually PATTERN PROGRAM ARG… runs a program until its output contains
// PATTERN.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually TEXT PROGRAM ARG…")
	}
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := ts.Exec(args[1], args[2:]...)
		if err == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("never printed %q: %v", args[0], err)
		}
	}
}

// jobid FILE sets $JOB to the number of the first job in a list.
func jobID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: jobid FILE")
	}
	ts.Setenv("JOB", gjson.Get(ts.ReadFile(args[0]), "jobs.0.id").String())
}
