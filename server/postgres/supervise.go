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
	if taken, err := end(ctx, s.site.cluster); err != nil {
		return nil, fmt.Errorf("end what an earlier server left: %w", err)
	} else if taken > 0 {
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
	backoff, since := backoffMin, time.Now()
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
			if time.Since(since) > backoffReset {
				backoff = backoffMin
			}
			if p, backoff = s.revive(backoff); p == nil {
				return // stopped meanwhile
			}
			since = time.Now()
		}
	}
}

// revive starts a postmaster, after the backoff and as often as it takes. It
// returns nil when the server is stopped before it succeeds.
func (s *Server) revive(backoff time.Duration) (*process, time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		wait := time.NewTimer(backoff)
		backoff = min(2*backoff, backoffMax)
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil, backoff
		case <-wait.C:
		}
		attempt, done := context.WithTimeout(ctx, startLimit)
		p, err := s.launch(attempt)
		done()
		if err == nil {
			s.log.Info("postgres runs again", "pid", p.pid)
			return p, backoff
		}
		if ctx.Err() != nil {
			return nil, backoff
		}
		s.log.Error("postgres did not start again; will retry", "after", backoff, "error", err)
	}
}

// shutdown ends p for good.
func (s *Server) shutdown(p *process) error {
	taken, err := end(context.Background(), s.site.cluster)
	if err != nil {
		return fmt.Errorf("stop postgres: %w", err)
	}
	<-p.exited // it is gone, and only waits to be collected
	s.pid.Store(0)
	s.log.Info("private postgres stopped", "dir", s.site.dir, "status", p.status)
	if taken > 1 {
		return fmt.Errorf("postgres did not stop within %v and was made to quit; it recovers at the next start", fastLimit)
	}
	return nil
}

// release gives the data directory back.
func (s *Server) release() {
	if s.site != nil && s.site.socket != "" {
		// Not empty if a postmaster would not end; then it is still in use.
		if err := os.Remove(s.site.socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.log.Debug("cannot remove the socket's directory", "error", err)
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
	if err == nil && !alive(f.pid) {
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
