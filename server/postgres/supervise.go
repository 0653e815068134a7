package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// launch starts a postmaster and returns it when it accepts connections.
// Whatever still runs on the cluster is ended first.
func (s *Server) launch(ctx context.Context) (*process, error) {
	if ran, err := end(ctx, s.site.cluster); err != nil {
		return nil, fmt.Errorf("end what an earlier server left: %w", err)
	} else if ran {
		s.log.Warn("an earlier server had left postgres running; ended it", "dir", s.site.dir)
	}
	if err := s.site.removeStalePID(); err != nil {
		return nil, err
	}
	if err := s.site.configure(); err != nil {
		return nil, err
	}
	out, err := openLog(s.site.logPath())
	if err != nil {
		return nil, err
	}
	defer out.Close() // the child has its own
	from, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	p, err := s.site.start(out)
	if err != nil {
		return nil, err
	}
	if err := s.site.awaitReady(ctx, p); err != nil {
		_, endErr := end(context.WithoutCancel(ctx), s.site.cluster)
		return nil, errors.Join(fmt.Errorf("%w%s", err, quoted(tail(s.site.logPath(), from))), endErr)
	}
	s.pid.Store(int64(p.pid))
	return p, nil
}

// run keeps a postmaster alive until Stop.
func (s *Server) run(p *process) {
	defer close(s.done)
	defer s.release()
	trim := time.NewTicker(logTrimEvery)
	defer trim.Stop()
	for {
		select {
		case <-s.stopping:
			s.err = s.shutdown(p)
			return
		case <-trim.C:
			if err := trimLog(s.site.logPath(), logMax); err != nil {
				s.log.Warn("cannot shorten the log of postgres", "error", err)
			}
		case <-p.exited:
			s.pid.Store(0)
			s.log.Error("postgres ended by itself; starting it again", "pid", p.pid, "status", p.status)
			if p = s.revive(); p == nil {
				return // stopped meanwhile
			}
		}
	}
}

// revive starts a postmaster, as often as it takes, waiting longer after each
// start that fails. It returns nil when the server is stopped before it
// succeeds.
func (s *Server) revive() *process {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	for backoff := backoffMin; ; backoff = min(2*backoff, backoffMax) {
		wait := time.NewTimer(backoff)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
		attempt, done := context.WithTimeout(ctx, startLimit)
		p, err := s.launch(attempt)
		done()
		if err == nil {
			s.log.Info("postgres runs again", "pid", p.pid)
			return p
		}
		if ctx.Err() != nil {
			return nil
		}
		s.log.Error("postgres did not start again; will retry", "after", backoff, "error", err)
	}
}

// shutdown ends p for good. It holds on to the process itself, and so works
// also when somebody has removed the cluster under it.
func (s *Server) shutdown(p *process) error {
	for i, step := range steps {
		if err := p.signal(step.postmaster); err != nil {
			return err
		}
		hurry := s.hurry
		if i > 0 {
			hurry = nil // already in a hurry
		}
		limit := time.NewTimer(step.limit)
		select {
		case <-p.exited:
			limit.Stop()
			return s.ended(p, i)
		case <-hurry:
			limit.Stop()
		case <-limit.C:
		}
	}
	return fmt.Errorf("postgres, process %d, does not end", p.pid)
}

// ended sees to what an ended postmaster leaves, and judges how it ended.
func (s *Server) ended(p *process, step int) error {
	s.pid.Store(0)
	s.log.Info("private postgres stopped", "dir", s.site.dir, "status", p.status)
	if _, err := end(context.Background(), s.site.cluster); err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	if step > 0 || !p.clean {
		return fmt.Errorf("postgres did not shut down in order (%s) and recovers at the next start", p.status)
	}
	return nil
}

// release gives the data directory back.
func (s *Server) release() {
	if s.site != nil {
		// With the socket, if the postmaster was killed.
		if err := os.RemoveAll(s.site.socket); err != nil {
			s.log.Warn("cannot remove the socket's directory", "error", err)
		}
	}
	for _, l := range s.locks {
		if err := l.release(); err != nil {
			s.log.Warn("cannot release a lock", "error", err)
		}
	}
}

// removeStalePID removes a pid file whose process id now belongs to some
// other program, which Postgres would take for a postmaster. A file whose
// process is gone is left to Postgres, which knows more ways to be sure.
func (s *site) removeStalePID() error {
	f, err := readPIDFile(s.cluster)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A file without a process id is one that a full disk or a crash cut short.
	if err == nil && (!alive(f.pid) || isPostgres(f.pid)) {
		return nil
	}
	for _, path := range []string{
		filepath.Join(s.cluster, "postmaster.pid"),
		filepath.Join(s.socket, fmt.Sprintf(".s.PGSQL.%d.lock", port)),
	} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
