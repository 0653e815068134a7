package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/loadtest"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

const (
	startTimeout = time.Minute
	stopTimeout  = 40 * time.Second

	// people is how many work at the bench's hospital: no two clients of a note are the same person.
	people = 320
)

// The servers, in the order of the table.
const (
	here       = "tidechart"
	hocuspocus = "hocuspocus"
)

// A kind is a server to be started.
type kind struct {
	name     string
	protocol string
	start    func(ctx context.Context, b bench) (*server, error)
}

var kinds = []kind{
	{here, loadtest.Hocuspocus, startHere},
	{hocuspocus, loadtest.Hocuspocus, func(ctx context.Context, b bench) (*server, error) {
		return startNode(ctx, b, "hocuspocus.mjs", "ready")
	}},
	{"y-websocket", loadtest.YWebSocket, func(ctx context.Context, b bench) (*server, error) {
		return startNode(ctx, b, "node_modules/y-websocket/bin/server.cjs", "running at")
	}},
}

// A server is a process that was started.
type server struct {
	url    string
	tokens []string

	cmd  *exec.Cmd
	dir  string        // removed at the end; may be empty
	done chan struct{} // closed when it has ended
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop asks the server to end, and waits.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// launch starts cmd and returns when a line of its output begins as ready does.
func launch(ctx context.Context, cmd *exec.Cmd, url, ready string) (*server, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{url: url, cmd: cmd, done: make(chan struct{})}
	up := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(out)
		for found := false; lines.Scan(); {
			if !found && strings.HasPrefix(lines.Text(), ready) {
				found = true
				close(up)
			}
		}
		_, _ = io.Copy(io.Discard, out) // a line may be too long
		_ = cmd.Wait()                  // how it ended does not matter
		close(s.done)
	}()
	select {
	case <-up:
		return s, nil
	case <-s.done:
		return nil, fmt.Errorf("%s ended before it was ready", filepath.Base(cmd.Path))
	case <-time.After(startTimeout):
		err = fmt.Errorf("%s was not ready in %v", filepath.Base(cmd.Path), startTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stop()
	return nil, err
}

// startNode starts one of the others by the Node that is installed beside them.
func startNode(ctx context.Context, b bench, script, ready string) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("node_modules/node/bin/node", script)
	cmd.Dir = b.peers
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+port, "NODE_ENV=production")
	if cmd.Path, err = filepath.Abs(filepath.Join(b.peers, cmd.Path)); err != nil {
		return nil, err
	}
	return launch(ctx, cmd, "http://127.0.0.1:"+port, ready)
}

// startHere starts this server with a Postgres of its own, and gives it people.
func startHere(ctx context.Context, b bench) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tide")
	if err == nil {
		err = os.Chmod(dir, 0o755) // the private Postgres may run as another user
	}
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	s, err := launch(ctx, exec.Command(b.binary, "demo", "--listen", "127.0.0.1:"+port, "--data", data,
		"--connections-per-note=1000"), // one scene has 300 in one note
		"http://127.0.0.1:"+port, "ready")
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s.dir = dir
	if s.tokens, err = employ(ctx, data); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// employ adds people to a running demo and returns a token for each.
func employ(ctx context.Context, data string) ([]string, error) {
	url, err := postgres.Running(data)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	unit := "4-west" // the demo's: whose patients they write about
	tokens := make([]string, people)
	for i := range tokens {
		name := fmt.Sprintf("bench%03d", i)
		err := db.InsertPerson(ctx, queries.InsertPersonParams{
			ID: uuid.New(), Username: name, Name: "Bench " + name, Role: "nurse", UnitID: &unit, Color: int16(i % 8),
		})
		if err != nil {
			return nil, fmt.Errorf("add a person: %w", err)
		}
		if tokens[i], err = login.IssueToken(ctx, db, login.NewToken{Username: name}); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
