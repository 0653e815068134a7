// Package postgres runs a private Postgres server in a data directory, for
// those who have no database of their own: the demo, a developer, a test.
//
// The cluster lives in <dir>/postgres and its log in <dir>/postgres.log. The
// server listens on a Unix socket only, in a directory of mode 0700, and lets
// in exactly two operating-system users, checked by the kernel (peer
// authentication): the one Postgres runs as and the one who started it.
//
// Postgres refuses to run as root. A root caller therefore drops to the
// system user postgres or, where there is none, nobody; if that user cannot
// reach the data directory, the cluster is kept under /var/lib/tidechart and
// <dir>/postgres is a symbolic link to it.
//
// One server owns a data directory at a time, by file lock. Whatever an
// earlier owner left behind, from a stale pid file to a running or frozen
// postmaster, is cleared away before the start. A postmaster that dies is
// started again until Stop. Every wait has a limit (limits.go).
//
// The server's log holds no statement, parameter, row or error detail (I14).
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

// Options says where the server lives and whom it tells.
type Options struct {
	// Dir is the data directory. It is created if it does not exist.
	Dir string
	// Log is told of starts, restarts and ends. Nil discards.
	Log *slog.Logger
}

// Server is a running private Postgres.
type Server struct {
	// Static after Start.
	site  *site
	log   *slog.Logger
	locks []*fileLock

	pid       atomic.Int64  // of the postmaster; 0 while it is down
	stopping  chan struct{} // closed by the first Stop
	stopOnce  sync.Once
	hurry     chan struct{} // closed when a Stop has no more time
	hurryOnce sync.Once
	done      chan struct{} // closed when run returns
	err       error         // why the end was not a clean one; read after done
}

// Start makes a cluster in opts.Dir if there is none, starts Postgres on it,
// and returns once it accepts connections. The context limits the start, not
// the life of the server: end it with [Server.Stop].
//
// The error is a [*NotFoundError] if no Postgres is installed, and [ErrInUse]
// if another process already runs a server on opts.Dir. Where Postgres itself
// refused, the error ends with the last lines of its log.
func Start(ctx context.Context, opts Options) (*Server, error) {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not done after %v", startLimit))
	defer cancel()

	s := &Server{log: log, stopping: make(chan struct{}), hurry: make(chan struct{}), done: make(chan struct{})}
	if err := s.prepare(ctx, opts.Dir); err != nil {
		s.release()
		return nil, fmt.Errorf("private postgres in %s: %w", opts.Dir, err)
	}
	p, err := s.launch(ctx)
	if err != nil {
		s.release()
		return nil, fmt.Errorf("private postgres in %s: %w", opts.Dir, err)
	}
	log.Info("private postgres started", "dir", s.site.dir, "pid", p.pid, "version", s.site.install.version)
	go s.run(p)
	return s, nil
}

// prepare takes the data directory for this process and lays out the cluster.
func (s *Server) prepare(ctx context.Context, dir string) error {
	dir, err := makeDataDir(dir)
	if err != nil {
		return err
	}
	lock, err := lockFile(filepath.Join(dir, "postgres.lock"))
	if err != nil {
		return err
	}
	s.locks = append(s.locks, lock)
	if s.site, err = openSite(ctx, dir, s.log); err != nil {
		return err
	}
	// A copied data directory has a link to the same cluster but a lock of
	// its own; this lock is the cluster's.
	if lock, err = lockCluster(s.site.cluster); err != nil {
		return err
	}
	s.locks = append(s.locks, lock)
	return nil
}

// URL is the connection string of the server's database, for pgx and libpq.
func (s *Server) URL() string { return connString(s.site.socket) }

// PID is the process id of the postmaster, or 0 while it is down.
func (s *Server) PID() int { return int(s.pid.Load()) }

// Cluster is the directory of the cluster, free of symbolic links.
func (s *Server) Cluster() string { return s.site.cluster }

// Stop ends the server: it disconnects clients and writes a checkpoint (fast
// shutdown) and, where that does not end within its limit, or ctx is done
// first, has the processes quit at once, which loses nothing committed. The
// error tells when the end was not a clean one. A second Stop waits for the first.
func (s *Server) Stop(ctx context.Context) error {
	s.stopOnce.Do(func() { close(s.stopping) })
	select {
	case <-s.done:
		return s.err
	case <-ctx.Done():
	}
	s.hurryOnce.Do(func() { close(s.hurry) })
	<-s.done // from here on each step has a limit of seconds
	return errors.Join(context.Cause(ctx), s.err)
}

// Running returns the connection string of the server that runs on the data
// directory dir, whichever process started it, or [ErrNotRunning].
func Running(dir string) (string, error) {
	cluster, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return "", notRunning(dir, err)
	}
	f, err := readPIDFile(cluster)
	if err != nil {
		return "", notRunning(dir, err)
	}
	if !f.ready || !belongs(f.pid, cluster) {
		return "", fmt.Errorf("%w in %s", ErrNotRunning, dir)
	}
	return connString(f.socket), nil
}

// notRunning is the error of a look into dir that failed. That it was not
// allowed says nothing of what runs there.
func notRunning(dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("look for the private postgres of %s: %w", dir, err)
	}
	return fmt.Errorf("%w in %s", ErrNotRunning, dir)
}

// ErrNotRunning is the error of [Running] if no server accepts connections.
var ErrNotRunning = errors.New("no private postgres is running")

// ErrInUse is the error of [Start] if another process holds the directory.
var ErrInUse = errors.New("another server is using this data directory")

// The cluster's superuser, its database, and the port that names its socket.
const (
	role     = "tidechart"
	database = "tidechart"
	port     = 5432
)

func connString(socket string) string {
	q := url.Values{
		"host":    {socket},
		"port":    {strconv.Itoa(port)},
		"sslmode": {"disable"}, // a Unix socket
	}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}
