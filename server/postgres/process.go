package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// process is one run of the postmaster.
type process struct {
	// Static after start.
	pid    int
	handle *os.Process
	exited chan struct{} // closed when it has ended

	// Read after exited.
	status string // how it ended
	clean  bool   // by a shutdown that left nothing to recover
}

// signal sends the signals, unless the process has ended.
func (p *process) signal(signals []syscall.Signal) error {
	for _, sig := range signals {
		if err := p.handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("send %v to postgres: %w", sig, err)
		}
	}
	return nil
}

// start starts a postmaster whose log goes to out.
func (s *site) start(out *os.File) (*process, error) {
	cmd := exec.Command(filepath.Join(s.install.bin, "postgres"), "-D", s.cluster,
		"-c", "listen_addresses=",
		"-c", "unix_socket_directories="+s.socket,
		"-c", "unix_socket_permissions=0700",
		"-c", "port="+strconv.Itoa(port),
		"-c", "cluster_name="+clusterName(s.cluster))
	cmd.Dir = "/"
	cmd.Env = environment()
	cmd.SysProcAttr = s.account.attributes()
	endWithParent(cmd.SysProcAttr)
	cmd.Stdout, cmd.Stderr = out, out

	p := &process{exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// endWithParent speaks of the thread: this one lives as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid, p.handle = cmd.Process.Pid, cmd.Process
		}
		started <- err
		if err != nil {
			return
		}
		if err := cmd.Wait(); cmd.ProcessState == nil {
			p.status = err.Error()
		} else {
			p.status, p.clean = cmd.ProcessState.String(), cmd.ProcessState.Success()
		}
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	return p, nil
}

// clusterName is what the title of each process of the cluster shows.
func clusterName(cluster string) string { return "tidechart-" + fingerprint(cluster) }

// awaitReady returns when p accepts connections, or with an error when it has
// ended or the limit has passed.
func (s *site) awaitReady(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyLimit,
		fmt.Errorf("postgres was not ready after %v", readyLimit))
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.exited:
			return fmt.Errorf("postgres ended at once: %s", p.status)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			// The file is not there yet, or half written, or an older one.
			if f, err := readPIDFile(s.cluster); err == nil && f.ready && f.pid == p.pid {
				return nil
			}
		}
	}
}

// steps is how the processes of a cluster are ended, from polite to certain.
var steps = []struct {
	limit      time.Duration
	postmaster []syscall.Signal // to the postmaster, if it lives
	others     []syscall.Signal // to each process, if it does not
}{
	{fastLimit, []syscall.Signal{syscall.SIGINT, syscall.SIGCONT}, nil},
	{quitLimit, hurry, hurry},
	{killLimit, []syscall.Signal{syscall.SIGKILL}, []syscall.Signal{syscall.SIGKILL}},
	{killLimit, nil, []syscall.Signal{syscall.SIGKILL}},
}

// hurry has a process quit without delay, also one that is frozen.
var hurry = []syscall.Signal{syscall.SIGQUIT, syscall.SIGCONT}

// end ends whatever runs on the cluster, and tells whether anything did.
func end(ctx context.Context, cluster string) (ran bool, err error) {
	gone := func() bool { return len(Processes(cluster)) == 0 }
	for _, step := range steps {
		if gone() {
			return ran, nil
		}
		ran = true
		limit := step.limit
		if pid := postmasterOf(cluster); pid != 0 {
			err = signalAll([]int{pid}, cluster, step.postmaster)
		} else {
			err = signalAll(Processes(cluster), cluster, step.others)
			limit = min(limit, leftoverLimit)
		}
		if err != nil {
			return ran, err
		}
		if err := until(ctx, limit, gone); err != nil {
			return ran, err
		}
	}
	if !gone() {
		return ran, fmt.Errorf("processes %v of the database do not end", Processes(cluster))
	}
	return ran, nil
}

// postmasterOf returns the process id of the cluster's postmaster, or 0.
func postmasterOf(cluster string) int {
	f, err := readPIDFile(cluster)
	if err != nil || !belongs(f.pid, cluster) {
		return 0
	}
	return f.pid
}

// signalAll sends the signals to those of the processes that still belong to
// the cluster. The handle is taken before the look, so that a process id that
// is given to somebody else in between is not hit.
func signalAll(pids []int, cluster string, signals []syscall.Signal) error {
	for _, pid := range pids {
		p, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		if belongs(pid, cluster) {
			for _, sig := range signals {
				if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
					return fmt.Errorf("send %v to process %d of the database: %w", sig, pid, err)
				}
			}
		}
		if err := p.Release(); err != nil {
			return err
		}
	}
	return nil
}

// until looks at cond until it holds or the limit has passed, which is no
// error; that ctx was done is.
func until(ctx context.Context, limit time.Duration, cond func() bool) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-deadline.C:
			return nil
		case <-tick.C:
		}
	}
	return nil
}
