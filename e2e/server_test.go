package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is one `tidechart demo` on a data directory of its own. It can be
// stopped, killed and started again; address and data stay.
type server struct {
	t       *testing.T
	addr    string // 127.0.0.1:port, the same over restarts
	data    string
	flags   []string // of every start, beside those two
	through []string // what starts it, if it is not started as it is
	url     string   // as the ready line says
	log     *logBuffer

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has ended and exitErr is set
	exit   error
}

// startServer starts a server that ends with the test.
func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	return startNewServer(t, newServer(t), flags...)
}

func startNewServer(t *testing.T, s *server, flags ...string) *server {
	t.Helper()
	s.flags = flags
	t.Cleanup(func() {
		s.close()
		if alarms := s.alarms(); alarms != "" {
			t.Errorf("the server's log says:\n%s", alarms)
		}
		if t.Failed() {
			t.Logf("server log, end:\n%s", s.log.tail(6000))
		}
	})
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

func newServer(t *testing.T) *server {
	t.Helper()
	takeTurn(t)
	// Not t.TempDir: the path of a Unix socket below it must stay short.
	dir, err := os.MkdirTemp("", "tide")
	if err != nil {
		t.Fatal(err)
	}
	return &server{t: t, addr: freeAddr(t), data: filepath.Join(dir, "data"), log: &logBuffer{}}
}

// freeAddr is an address that nothing listens on, to be kept over restarts.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs the binary and returns when it says that it is ready. The first
// time it finds the demo's hospital, which takes longer to make than to copy.
func (s *server) start() error {
	if _, err := os.Stat(s.data); errors.Is(err, os.ErrNotExist) {
		if err := seeded.copyTo(s.t, s.data); err != nil {
			return err
		}
	}
	return s.demo()
}

func (s *server) demo() error {
	return s.run(append([]string{"demo", "--listen", s.addr, "--data", s.data}, s.flags...)...)
}

func (s *server) run(args ...string) error {
	all := slices.Concat(s.through, []string{binary}, args)
	cmd := exec.Command(all[0], all[1:]...)
	cmd.Dir = filepath.Dir(s.data)
	if err := os.MkdirAll(cmd.Dir, 0o755); err != nil {
		return err
	}
	// The private Postgres may run as another user: let it pass.
	if err := os.Chmod(cmd.Dir, 0o755); err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = s.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start tidechart: %w", err)
	}
	s.cmd, s.exited, s.exit = cmd, make(chan struct{}), nil
	ready := make(chan string, 1)
	go s.wait(cmd, stdout, ready, s.exited)
	select {
	case s.url = <-ready:
		return nil
	case <-s.exited:
		return fmt.Errorf("tidechart %s ended before it was ready: %w\n%s", args[0], s.exit, s.log.tail(4000))
	case <-time.After(2 * patience):
		return fmt.Errorf("tidechart %s not ready in %v\n%s", args[0], 2*patience, s.log.tail(4000))
	}
}

// wait reads stdout to its end, announces the ready line, and reaps cmd.
func (s *server) wait(cmd *exec.Cmd, stdout io.Reader, ready chan<- string, exited chan<- struct{}) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		fmt.Fprintln(s.log, lines.Text())
		if url, ok := strings.CutPrefix(lines.Text(), "ready "); ok {
			ready <- strings.TrimSpace(url)
		}
	}
	s.exit = cmd.Wait()
	close(exited)
}

// stop asks the server to drain and returns its exit error.
func (s *server) stop() error {
	if err := s.terminate(); err != nil {
		return err
	}
	return s.waitExit()
}

// terminate tells the server to drain and does not wait.
func (s *server) terminate() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop tidechart: %w", err)
	}
	return nil
}

// kill ends the server at once, as the kernel does to a process out of memory.
func (s *server) kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill tidechart: %w", err)
	}
	if err := s.waitExit(); s.running() {
		return err
	}
	return nil
}

func (s *server) waitExit() error {
	select {
	case <-s.exited:
		return s.exit
	case <-time.After(patience):
		return fmt.Errorf("tidechart did not end in %v", patience)
	}
}

func (s *server) running() bool {
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// close leaves nothing behind: no server, no Postgres, no data.
func (s *server) close() {
	if s.cmd != nil && s.running() {
		if err := s.stop(); err != nil && s.running() {
			_ = s.cmd.Process.Kill()
			<-s.exited
		}
	}
	for _, pid := range s.postgresTree() {
		_ = syscall.Kill(pid, syscall.SIGCONT)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = os.RemoveAll(filepath.Dir(s.data))
}

// alarms are the lines of the server's log that no test may cause.
func (s *server) alarms() string {
	return linesWith(s.log.String(), "DATA RACE", "panic", "content security policy violated")
}

// token is a bearer token of a demo user, from the operator's command.
func (s *server) token(t *testing.T, user string, flags ...string) string {
	t.Helper()
	out, err := s.command(t.Context(), append([]string{"token", "--user", user, "--data", s.data}, flags...)...)
	if err != nil {
		t.Fatalf("tidechart token --user %s: %v", user, err)
	}
	token := strings.TrimSpace(out)
	if token == "" || strings.ContainsAny(token, " \n") {
		t.Fatalf("tidechart token --user %s printed %q, want one token", user, out)
	}
	return token
}

// command runs a subcommand to its end and returns its stdout.
func (s *server) command(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), errors.Join(err, errors.New(strings.TrimSpace(stderr.String())))
	}
	return string(out), nil
}

// ws is the server's address as the Yjs clients take it.
func (s *server) ws() string { return "ws" + strings.TrimPrefix(s.url, "http") }

// seeded is a data directory that the first demo has filled. Each server that
// starts has a copy of it.
var seeded dataDir

type dataDir struct {
	once sync.Once
	s    *server // that filled it, and has stopped
	err  error
}

func (d *dataDir) copyTo(t *testing.T, path string) error {
	d.once.Do(func() {
		d.s = newServer(t)
		if d.err = d.s.demo(); d.err == nil {
			d.err = d.s.stop()
		}
	})
	if d.err != nil {
		return fmt.Errorf("fill a data directory: %w", d.err)
	}
	if out, err := exec.Command("cp", "-a", d.s.data, path).CombinedOutput(); err != nil {
		return fmt.Errorf("copy a data directory: %w\n%s", err, out)
	}
	return nil
}

func (d *dataDir) close() {
	if d.s != nil {
		d.s.close()
	}
}

// shared is the server of all tests that neither stop it nor read all of its
// log. It starts with the first of them.
var shared sharedServer

type sharedServer struct {
	once sync.Once
	s    *server
	err  error
}

// get returns the shared server, whose t must not be used.
func (h *sharedServer) get(t *testing.T) *server {
	t.Helper()
	takeTurn(t)
	h.once.Do(func() {
		h.s = newServer(t)
		h.err = h.s.start()
	})
	if h.err != nil {
		t.Fatal(h.err)
	}
	return h.s
}

// close ends the shared server, and returns an error if its log has an alarm.
func (h *sharedServer) close() error {
	if h.s == nil {
		return nil
	}
	h.s.close()
	if alarms := h.s.alarms(); alarms != "" {
		return fmt.Errorf("the shared server's log says:\n%s", alarms)
	}
	return nil
}
