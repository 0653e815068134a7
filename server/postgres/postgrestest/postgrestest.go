// Package postgrestest gives tests a real Postgres: one private server for
// each test binary, a database for each test.
//
// A package that uses it says in one of its test files:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
package postgrestest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/postgres"
)

// limit is how long anything here may take.
const limit = 2 * time.Minute

// shared is the test binary's server.
var shared struct {
	ready   atomic.Bool // Main runs: there will be somebody to stop it
	hasty   bool        // see Hasty
	once    sync.Once
	dir     string
	server  *postgres.Server
	err     error
	created atomic.Int64 // databases so far
}

// Main runs the tests, stops the server if one of them started it, and exits.
func Main(m *testing.M) {
	shared.ready.Store(true)
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, "postgrestest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Hasty is [Main] for a package whose tests outlive no machine: the shared server neither waits for its disk nor keeps or packs what only
// a machine that fails has need of, which is a third of what it takes to make a database and drop it. All else is as it is for people,
// killed processes included. Benchmarks do wait.
func Hasty(m *testing.M) {
	flag.Parse()
	shared.hasty = flag.Lookup("test.bench").Value.String() == ""
	Main(m)
}

func makeHasty(ctx context.Context, server *postgres.Server) error {
	conn, err := pgx.Connect(ctx, server.URL())
	if err != nil {
		return err
	}
	for _, setting := range []string{"fsync", "full_page_writes", "wal_compression"} {
		if err == nil {
			_, err = conn.Exec(ctx, "ALTER SYSTEM SET "+setting+" = off")
		}
	}
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_reload_conf()")
	}
	return errors.Join(err, conn.Close(ctx))
}

func stop() error {
	var errs []error
	if shared.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		errs = append(errs, shared.server.Stop(ctx))
	}
	if shared.dir != "" {
		errs = append(errs, os.RemoveAll(shared.dir))
	}
	return errors.Join(errs...)
}

// Server returns the server that the tests of this binary share. A test that
// freezes or kills it must not run in parallel with others.
//
// Where no Postgres is installed the test is skipped, or fails if the
// environment variable TIDECHART_REQUIRE_ALL is set.
func Server(t testing.TB) *postgres.Server {
	t.Helper()
	Require(t)
	if !shared.ready.Load() {
		t.Fatal("postgrestest: the package's TestMain must call postgrestest.Main")
	}
	shared.once.Do(func() {
		if shared.dir, shared.err = tempDir(); shared.err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if shared.server, shared.err = postgres.Start(ctx, postgres.Options{Dir: shared.dir}); shared.err == nil && shared.hasty {
			shared.err = makeHasty(ctx, shared.server)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// URL returns the connection string of a new, empty database on the shared
// server. It is dropped, with whoever is still connected, when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	return create(t, "template1")
}

// Prepared is a database that tests begin with, each with a copy of its own.
// To fill it takes longer than to copy it. The zero value with Fill is ready
// to use.
type Prepared struct {
	// Fill is called once, with the connection string of an empty database. It
	// leaves no connection open.
	Fill func(url string) error

	once sync.Once
	name string
	err  error
}

// URL is as [URL], for a copy of what Fill has left.
func (p *Prepared) URL(t testing.TB) string {
	t.Helper()
	server := Server(t)
	p.once.Do(func() {
		p.name = newName()
		execute(t, server.URL(), "CREATE DATABASE "+p.name)
		p.err = p.Fill(at(t, server, p.name))
	})
	if p.err != nil {
		t.Fatalf("prepare a database: %v", p.err)
	}
	return create(t, p.name)
}

func create(t testing.TB, template string) string {
	t.Helper()
	server := Server(t)
	name := newName()
	execute(t, server.URL(), "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { execute(t, server.URL(), "DROP DATABASE "+name+" WITH (FORCE)") })
	return at(t, server, name)
}

func newName() string { return fmt.Sprintf("test_%d", shared.created.Add(1)) }

// at is the connection string of one database of a server.
func at(t testing.TB, server *postgres.Server, name string) string {
	t.Helper()
	u, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// New starts a server that belongs to the test alone, for tests that break
// it. It is stopped and removed when the test ends.
func New(t testing.TB) *postgres.Server {
	t.Helper()
	Require(t)
	dir, err := tempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	server, err := postgres.Start(ctx, postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Freeze stops every process of the server's cluster (SIGSTOP), so that
// connections stay open and nothing answers, until the returned function or
// the end of the test lets them go on.
func Freeze(t testing.TB, server *postgres.Server) (thaw func()) {
	t.Helper()
	frozen := map[int]bool{}
	// The postmaster goes first, and so makes no new process; what it made
	// before is found by looking until nothing new is seen.
	for before := -1; before != len(frozen); {
		before = len(frozen)
		for _, pid := range postgres.Processes(server.Cluster()) {
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatalf("freeze postgres process %d: %v", pid, err)
			}
			frozen[pid] = true
		}
	}
	if len(frozen) == 0 {
		t.Fatal("freeze: postgres is not running")
	}
	thaw = sync.OnceFunc(func() {
		for pid := range frozen {
			if err := syscall.Kill(pid, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Errorf("thaw postgres process %d: %v", pid, err)
			}
		}
	})
	t.Cleanup(thaw)
	return thaw
}

// find looks once: it asks programs for their versions, which takes longer than to copy a database.
var find = sync.OnceValues(postgres.Find)

// Require skips the test where no Postgres is installed, or fails it if the
// environment variable TIDECHART_REQUIRE_ALL is set.
func Require(t testing.TB) {
	t.Helper()
	if _, err := find(); err != nil {
		needs.Missing(t, err.Error())
	}
}

// tempDir makes a directory that the user whom Postgres drops to can reach.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", "tidechart-test-*")
	if err != nil {
		return "", err
	}
	if os.Geteuid() == 0 {
		err = os.Chmod(dir, 0o711)
	}
	return dir, err
}

// admin makes and drops the databases of the shared server, one at a time: a connection for each would cost as much as to drop one.
var admin struct {
	sync.Mutex
	conn *pgx.Conn // closed: a test has ended it
}

func execute(t testing.TB, url, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	admin.Lock()
	defer admin.Unlock()
	if admin.conn != nil {
		_, err := admin.conn.Exec(ctx, sql)
		if err != nil && !admin.conn.IsClosed() {
			t.Error(err)
		}
		if !admin.conn.IsClosed() {
			return
		}
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	admin.conn = conn
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Error(err)
	}
}
