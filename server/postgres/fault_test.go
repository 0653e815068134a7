package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

func TestKilledPostmasterComesBack(t *testing.T) {
	t.Parallel()
	var log record
	s := startLogging(t, newDir(t), &log)
	save(t, s)
	connect(t, s.URL()) // a backend that is orphaned
	for i := range 3 {
		before := s.PID()
		kill(t, before, syscall.SIGKILL)
		eventually(t, fmt.Sprintf("restart %d", i), func() bool { pid := s.PID(); return pid != 0 && pid != before })
		saved(t, s)
	}
	if !log.has("ended by itself") {
		t.Error("the log does not tell of the restart")
	}
}

func TestKilledBackendLeavesPostmaster(t *testing.T) {
	long(t)
	t.Parallel()
	s := start(t, newDir(t))
	save(t, s)
	before := s.PID()
	var backend int
	if err := connect(t, s.URL()).QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		t.Fatal(err)
	}
	witness := connect(t, s.URL()) // cut off when the postmaster has noticed
	kill(t, backend, syscall.SIGKILL)
	eventually(t, "the end of all connections", func() bool { return witness.Ping(t.Context()) != nil })
	eventually(t, "connections after crash recovery", func() bool { return ping(t.Context(), s.URL()) == nil })
	saved(t, s)
	if s.PID() != before {
		t.Error("the postmaster was replaced; it recovers by itself")
	}
}

// TestRestartIsRetried has Postgres refuse to start again for a while.
func TestRestartIsRetried(t *testing.T) {
	long(t)
	t.Parallel()
	var log record
	s := startLogging(t, newDir(t), &log)
	save(t, s)
	local := filepath.Join(s.Cluster(), "local.conf")
	writeFile(t, local, "no_such_setting = 1\n")
	kill(t, s.PID(), syscall.SIGKILL)
	eventually(t, "a failed restart in the log", func() bool { return log.has("did not start again") })
	if err := os.Remove(local); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a restart that works", func() bool { return s.PID() != 0 })
	saved(t, s)
}

func TestStopWhileRestartFails(t *testing.T) {
	long(t)
	t.Parallel()
	var log record
	s := startLogging(t, newDir(t), &log)
	writeFile(t, filepath.Join(s.Cluster(), "local.conf"), "no_such_setting = 1\n")
	kill(t, s.PID(), syscall.SIGKILL)
	eventually(t, "a failed restart in the log", func() bool { return log.has("did not start again") })
	stop(t, s)
	if left := postgres.Processes(s.Cluster()); len(left) != 0 {
		t.Errorf("processes %v outlive Stop", left)
	}
}

// TestKilledOwner kills the process that runs the server, as kill -9 or the
// kernel's out-of-memory killer would.
func TestKilledOwner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		frozen bool // the postmaster cannot hear of its owner's end
	}{
		{"postmaster ends with it", false},
		{"postmaster is left frozen", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if !tt.frozen && runtime.GOOS != "linux" {
				t.Skip("only Linux tells a child of its parent's end")
			}
			dir := newDir(t)
			owner, pid := startOwner(t, dir)
			cluster := filepath.Join(dir, "postgres")
			if tt.frozen {
				kill(t, pid, syscall.SIGSTOP)
			}
			kill(t, owner.Process.Pid, syscall.SIGKILL)
			if _, err := owner.Process.Wait(); err != nil {
				t.Fatal(err)
			}
			if tt.frozen {
				if left := postgres.Processes(cluster); len(left) == 0 || left[0] != pid {
					t.Fatalf("the postmaster %d is not left behind: %v", pid, left)
				}
			} else {
				eventually(t, "the postmaster ends", func() bool { return len(postgres.Processes(cluster)) == 0 })
			}
			s := start(t, dir)
			save(t, s)
			if s.PID() == pid {
				t.Error("runs on the old postmaster, which nobody supervises")
			}
		})
	}
}

// TestKilledTogether ends owner and postmaster at once, so that only
// orphaned backends are left when the next server starts.
func TestKilledTogether(t *testing.T) {
	long(t)
	t.Parallel()
	dir := newDir(t)
	owner, pid := startOwner(t, dir)
	url, err := postgres.Running(dir)
	if err != nil {
		t.Fatal(err)
	}
	busy := connect(t, url)
	died := make(chan struct{})
	go func() {
		defer close(died)
		_, _ = busy.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(3600)") // dies with the server
	}()
	kill(t, pid, syscall.SIGSTOP)
	kill(t, owner.Process.Pid, syscall.SIGKILL)
	kill(t, pid, syscall.SIGKILL)
	if _, err := owner.Process.Wait(); err != nil {
		t.Fatal(err)
	}
	save(t, start(t, dir))
	<-died // a connection has one user at a time, and the test's end closes this one
}

// TestRemovedClusterStillStops removes the database under a running server.
func TestRemovedClusterStillStops(t *testing.T) {
	long(t)
	t.Parallel()
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: newDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	pid := s.PID()
	eventually(t, "the cluster is gone, faster than it is written", func() bool { return os.RemoveAll(s.Cluster()) == nil })
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := s.Stop(ctx); errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("the postmaster outlives Stop")
	}
}

func TestFrozenServerIsStopped(t *testing.T) {
	long(t)
	t.Parallel()
	dir := newDir(t)
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	save(t, s)
	postgrestest.Freeze(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopping a frozen server: %v; want %v", err, context.DeadlineExceeded)
	}
	if left := postgres.Processes(s.Cluster()); len(left) != 0 {
		t.Errorf("processes %v outlive Stop", left)
	}
	saved(t, start(t, dir))
}

// TestStalePIDFile starts where a pid file names a process that lives and is
// no Postgres, as after a reboot.
func TestStalePIDFile(t *testing.T) {
	long(t)
	t.Parallel()
	for _, tt := range []struct{ name, text string }{
		{"another program", fmt.Sprintf("%d\n/elsewhere\n1\n5432\n/tmp\n\n1 1\nready   \n", os.Getpid())},
		{"no process", fmt.Sprintf("%d\n", 1<<22+1)},
		{"cut short", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := newDir(t)
			s := start(t, dir)
			save(t, s)
			stop(t, s)
			writeFile(t, filepath.Join(s.Cluster(), "postmaster.pid"), tt.text)
			if _, err := postgres.Running(dir); err == nil {
				t.Error("a stale pid file counts as running")
			}
			saved(t, start(t, dir))
		})
	}
}

func TestMissingClusterIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nonexistent/database", filepath.Join(dir, "postgres")); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/database") {
		t.Errorf("start where the database is missing: %v", err)
	}
}
