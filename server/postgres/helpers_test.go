package postgres_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

const limit = time.Minute // for whatever a test waits for

// The test binary is also the other process that some tests need.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv("OWN_SERVER_IN") != "":
		ownServer(os.Getenv("OWN_SERVER_IN"))
	case os.Getenv("CONNECT_TO") != "":
		connectOnce(os.Getenv("CONNECT_TO"))
	}
	postgrestest.Main(m)
}

// ownServer runs a server until it is killed or its standard input ends.
func ownServer(dir string) {
	s, err := postgres.Start(context.Background(), postgres.Options{Dir: dir})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("pid", s.PID())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func connectOnce(url string) {
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(0)
	}
	fmt.Println("connected")
	_ = conn.Close(context.Background()) // the answer is out
	os.Exit(0)
}

// startOwner has another process run a server on dir, and returns that
// process and its postmaster.
func startOwner(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "OWN_SERVER_IN="+dir)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait() // the tests kill it
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	var pid int
	if _, scanErr := fmt.Sscanf(line, "pid %d", &pid); err != nil || scanErr != nil {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return cmd, pid
}

// long marks a test that makes a database of its own, which takes a second of
// processor time, and is not for the inner loop.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("long")
	}
}

// newDir returns a data directory yet to be made, which goes away, with a
// cluster kept elsewhere, at the end of the test.
func newDir(t *testing.T) string {
	t.Helper()
	postgrestest.Require(t)
	parent, err := os.MkdirTemp("", "tidechart-test-*")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(parent, 0o755); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "data")
	t.Cleanup(func() {
		if target, err := os.Readlink(filepath.Join(dir, "postgres")); err == nil {
			if err := os.RemoveAll(target); err != nil {
				t.Error(err)
			}
		}
		if err := os.RemoveAll(parent); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// start starts a server that is stopped when the test ends.
func start(t *testing.T, dir string) *postgres.Server {
	t.Helper()
	return startLogging(t, dir, io.Discard)
}

func startLogging(t *testing.T, dir string, log io.Writer) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Options{
		Dir: dir,
		Log: slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), log), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *postgres.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := s.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // often dead by then, on purpose
	return conn
}

// save commits a row; saved fails the test if it is not there.
func save(t *testing.T, s *postgres.Server) {
	t.Helper()
	if _, err := connect(t, s.URL()).Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS n"); err != nil {
		t.Fatal(err)
	}
}

func saved(t *testing.T, s *postgres.Server) {
	t.Helper()
	if got := show(t, connect(t, s.URL()), "SELECT sum(n)::text FROM kept"); got != "7" {
		t.Errorf("the saved row has %s, want 7", got)
	}
}

func show(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	var got string
	if err := conn.QueryRow(t.Context(), query).Scan(&got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatalf("send %v: %v", sig, err)
	}
}

// eventually waits until cond holds.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", limit, what)
		case <-tick.C:
		}
	}
}

// record is a log that a test reads while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) has(s string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.b.String(), s)
}
