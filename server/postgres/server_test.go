package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := start(t, dir)
	save(t, first)
	stop(t, first)
	if left := postgres.Processes(first.Cluster()); len(left) != 0 {
		t.Errorf("processes %v outlive Stop", left)
	}
	saved(t, start(t, dir))
}

func TestSettings(t *testing.T) {
	t.Parallel()
	conn := connect(t, postgrestest.Server(t).URL())
	for _, tt := range []struct{ name, want string }{
		{"fsync", "on"},
		{"synchronous_commit", "on"},
		{"full_page_writes", "on"},
		{"data_checksums", "on"},
		{"listen_addresses", ""},
		{"unix_socket_permissions", "0700"},
		{"server_encoding", "UTF8"},
		{"idle_in_transaction_session_timeout", "1min"},
		{"log_statement", "none"},
		{"log_min_error_statement", "panic"},
		{"log_min_messages", "log"},
		{"log_error_verbosity", "terse"},
		{"log_parameter_max_length", "0"},
		{"log_parameter_max_length_on_error", "0"},
	} {
		if got := show(t, conn, "SHOW "+tt.name); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.name, got, tt.want)
		}
	}
	const order = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
	if got := show(t, conn, order); got != "C" {
		t.Errorf("collation is %q, want C", got)
	}
}

func TestNoTCPPort(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	listening := map[string]bool{} // by inode
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if errors.Is(err, os.ErrNotExist) {
			continue // no IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" {
				listening["socket:["+f[9]+"]"] = true
			}
		}
	}
	server := postgrestest.Server(t)
	sockets := 0
	for _, pid := range postgres.Processes(server.Cluster()) {
		fds, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd/*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			to, _ := os.Readlink(fd) // closed meanwhile: not listening
			if strings.HasPrefix(to, "socket:") {
				sockets++
			}
			if listening[to] {
				t.Errorf("process %d listens on TCP", pid)
			}
		}
	}
	if sockets == 0 {
		t.Error("saw not even the Unix socket: the test looks in the wrong place")
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	first := start(t, dir)
	save(t, first)
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if !errors.Is(err, postgres.ErrInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("second start: %v; want %v and who holds it", err, postgres.ErrInUse)
	}
	saved(t, first) // unharmed
}

func TestCopiedLinkIsRefused(t *testing.T) {
	long(t)
	t.Parallel()
	first := start(t, newDir(t))
	save(t, first)
	other := newDir(t)
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(other, "postgres")
	if err := os.Symlink(first.Cluster(), link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(link); err != nil {
			t.Error(err)
		}
	})
	if _, err := postgres.Start(t.Context(), postgres.Options{Dir: other}); !errors.Is(err, postgres.ErrInUse) {
		t.Errorf("start on a copied link: %v; want %v", err, postgres.ErrInUse)
	}
	saved(t, first)
}

func TestRunningFindsTheServer(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if _, err := postgres.Running(dir); !errors.Is(err, postgres.ErrNotRunning) {
		t.Errorf("before the start: %v", err)
	}
	s := start(t, dir)
	url, err := postgres.Running(dir)
	if err != nil || url != s.URL() {
		t.Errorf("Running = %q, %v; want %q", url, err, s.URL())
	}
	stop(t, s)
	if _, err := postgres.Running(dir); !errors.Is(err, postgres.ErrNotRunning) {
		t.Errorf("after the stop: %v", err)
	}
}

func TestRefusalTellsWhy(t *testing.T) {
	long(t)
	t.Parallel()
	dir := newDir(t)
	s := start(t, dir)
	save(t, s)
	stop(t, s)
	local := filepath.Join(s.Cluster(), "local.conf")
	writeFile(t, local, "no_such_setting = 1\n")
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Fatalf("start with a bad setting: %v; want the reason from the log", err)
	}
	if err := os.Remove(local); err != nil {
		t.Fatal(err)
	}
	saved(t, start(t, dir)) // the failed start left no lock
}

func TestOtherVersionIsRefused(t *testing.T) {
	long(t)
	t.Parallel()
	dir := newDir(t)
	s := start(t, dir)
	stop(t, s)
	writeFile(t, filepath.Join(s.Cluster(), "PG_VERSION"), "9\n")
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	var missing *postgres.NotFoundError
	if !errors.As(err, &missing) || missing.Major != 9 {
		t.Errorf("start on a cluster of version 9: %v", err)
	}
}

func TestCanceledStartLeavesNothing(t *testing.T) {
	long(t)
	t.Parallel()
	dir := newDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Start(ctx, postgres.Options{Dir: dir}); !errors.Is(err, context.Canceled) {
		t.Fatalf("canceled start: %v", err)
	}
	// As an initdb that was cut off by a power failure would leave it.
	half := filepath.Join(dir, "postgres-1.new")
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	save(t, start(t, dir))
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half-made cluster is still there: %v", err)
	}
}

// TestLogHoldsNoContent provokes errors that quote what they are about (I14).
func TestLogHoldsNoContent(t *testing.T) {
	long(t)
	t.Parallel()
	const canary = "Canary-Patient"
	dir := newDir(t)
	conn := connect(t, start(t, dir).URL())
	log := filepath.Join(dir, "postgres.log")

	fails := func(sql string, args ...any) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql, args...); err == nil {
			t.Fatalf("%s: no error", sql)
		}
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE p (name text PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "INSERT INTO p VALUES ($1)", canary); err != nil {
		t.Fatal(err)
	}
	fails("INSERT INTO p VALUES ($1)", canary)
	fails("SELECT '" + canary + "'::int")
	fails("SELECT \"" + canary + "\" FROM p")
	fails("DO $$ BEGIN RAISE EXCEPTION '" + canary + "'; END $$")
	fails("DO $$ BEGIN RAISE WARNING '" + canary + "'; PERFORM 1/0; END $$")
	if text := readFile(t, log); strings.Contains(text, canary) {
		t.Errorf("the log holds content:\n%s", text)
	}

	// Without the settings it would.
	if _, err := conn.Exec(t.Context(), "SET log_min_messages = warning"); err != nil {
		t.Fatal(err)
	}
	fails("SELECT '" + canary + "'::int")
	if !strings.Contains(readFile(t, log), canary) {
		t.Error("the log never holds content: this test proves nothing")
	}
}

func TestConnectionStringIsReadByPgx(t *testing.T) {
	t.Parallel()
	s := postgrestest.Server(t)
	config, err := pgx.ParseConfig(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(config.Host, "/tmp/tidechart-") || config.Database != "tidechart" || config.TLSConfig != nil {
		t.Errorf("host %q, database %q, TLS %v", config.Host, config.Database, config.TLSConfig != nil)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
