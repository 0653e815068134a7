package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/clisonix/tidechart/server/vault/transit/transittest"
)

// startServe starts `tidechart serve` in the form that speaks no TLS itself, and returns before it is ready. It ends with the test.
func startServe(t *testing.T, addr, data string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, addr: addr, data: data, log: &logBuffer{}}
	s.url = "http://" + s.addr
	s.cmd = exec.Command(binary, append([]string{"serve", "--listen", s.addr}, flags...)...)
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func() {
		s.exit = s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		if err := s.waitExit(); err != nil {
			t.Errorf("tidechart serve: %v\n%s", err, s.log.tail(3000))
		}
	})
	return s
}

// ready waits until the server says that it is.
func (s *server) ready(t *testing.T) {
	t.Helper()
	if err := s.log.waitLine(0, `"msg":"ready"`); err != nil {
		t.Fatal(err)
	}
}

// TestKeyService: as docs/security/keys.md says it step by step. A key file is sealed by a key service. A server waits for that at its start, and
// runs on without it; its keys are changed through it. One that may not open the new keys goes on with what is open, and says of everything
// else that the key is away, until it may.
func TestKeyService(t *testing.T) {
	t.Parallel()
	demo, ctx := newServer(t), t.Context()
	database := emptyDatabase(t, "kept")
	startNewServer(t, demo, "--database-url", database)
	token := demo.token(t, "chen", "--database-url", database)
	note := demo.newNote(t, token)
	if err := demo.stop(); err != nil {
		t.Fatal(err)
	}
	makeReal(t, database)

	service := transittest.Start(t)
	dir, path := t.TempDir(), filepath.Join(demo.data, "keys")
	mine, servers := filepath.Join(dir, "mine"), filepath.Join(dir, "server")
	give := func(file, token string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	give(mine, service.Token)
	own := service.NewToken("encrypt", "decrypt")
	give(servers, own)
	at := []string{"--keys", path, "--kms", service.URL, "--kms-ca", service.CA}
	keys := func(want string, args ...string) {
		t.Helper()
		said, err := demo.command(ctx, append([]string{"keys"}, args...)...)
		if text := fmt.Sprint(said, err); !regexp.MustCompile(want).MatchString(text) || strings.Contains(text, own) || strings.Contains(text, service.Token) {
			t.Fatalf("%v: %s; want %s", args, text, want)
		}
	}
	with := func(command string, more ...string) []string {
		return append(append([]string{command, "--kms-token-file", mine}, at...), more...)
	}
	in := func(command string, more ...string) []string {
		return with(command, append([]string{"--database-url", database}, more...)...)
	}

	// Seal the file.
	keys("would be sealed by "+regexp.QuoteMeta(service.URL), with("seal", "--dry-run")...)
	keys("not sealed by the key service", in("status")...)
	keys("It was in the clear before", with("seal")...)
	if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "TIDECHART-KEY") || !strings.Contains(string(text), "\nvault:v1:") {
		t.Errorf("the file says %s, %v", text, err)
	}
	keys("give --kms URL", "status", "--keys", path, "--database-url", database)
	keys(`sealed by https://\S+, version 1, which opened it in [0-9]+ms`, in("status")...)
	service.Rotate()
	keys("is sealed by", with("seal")...)
	service.GiveUp(2)
	keys(`sealed by https://\S+, version 2, which opened it`, in("status")...)

	// A server waits for the service, and does not listen before.
	service.Away()
	flags := append([]string{"--database-url", database, "--behind-tls-proxy", "--kms-token-file", servers}, at...)
	s := startServe(t, freeAddr(t), demo.data, flags...)
	if err := s.log.waitLine(0, "the key service does not answer; waiting for it"); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", s.addr); err == nil {
		_ = conn.Close()
		t.Error("it listens, and has no keys")
	}
	service.Back()
	s.ready(t)
	c := startNode(t).connect("y", yWebsocket, s, note, token, nil)
	c.wait(want{"synced": true})
	other := s.newNote(t, token)

	// It runs on without the service: notes that are open, and others.
	service.Seal()
	c.insert(0, "while it is sealed; ")
	c.wait(want{"unsynced": 0})
	s.text(t, token, other)
	s.newNote(t, token)
	service.Unseal()

	// Keys are changed through the service.
	keys("what is new is wrapped to it", in("rotate")...)
	keys(`[1-9][0-9]* data keys are wrapped`, in("rewrap", "--hurry")...)
	keys("1 keys are retired", in("retire")...)
	aside, err := filepath.Glob(path + ".retired-*")
	if err != nil || len(aside) != 1 {
		t.Fatalf("the old key is in %v, %v", aside, err)
	}
	if text, err := os.ReadFile(aside[0]); err != nil || strings.Contains(string(text), "TIDECHART-KEY") {
		t.Errorf("the old key lies in the clear: %v", err)
	}

	// The server's token ends; what is wrapped to a key that it cannot open is away.
	service.Revoke(own)
	keys("what is new is wrapped to it", in("rotate")...)
	if err := s.log.waitLine(0, "keys cannot be followed; those in memory stay in use"); err != nil {
		t.Fatal(err)
	}
	keys("1 running servers do not have the newest key", in("rewrap", "--wait", "1s")...)
	second := startServe(t, freeAddr(t), demo.data, append([]string{"--database-url", database, "--behind-tls-proxy", "--kms-token-file", mine}, at...)...)
	second.ready(t)
	later := second.newNote(t, token)
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	c.insert(0, "with the old key; ")
	c.wait(want{"unsynced": 0})
	resp, body := s.api(t, apiRequest{method: "GET", path: "/notes/" + later + "/state", token: token, accept: "text/plain"})
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "does not have the key") {
		t.Errorf("a note of the new key: %s: %s", resp.Status, body)
	}
	refused := startNode(t).connect("r", yWebsocket, s, later, token, map[string]any{"backoff": 500})
	refused.wait(want{"closes": 1})
	if st := refused.stats(); st.Closes[0].Code != 1013 || st.GaveUp {
		t.Errorf("its editor is told %+v, gave up: %v", st.Closes[0], st.GaveUp)
	}
	from := s.log.len()
	give(servers, service.NewToken("encrypt", "decrypt"))
	if err := s.log.waitLine(from, "keys are followed again"); err != nil {
		t.Fatal(err)
	}
	refused.wait(want{"synced": true})
	keys(`[1-9][0-9]* data keys are wrapped`, in("rewrap", "--hurry")...)
	checkHas(t, s.text(t, token, note), "while it is sealed; ", "with the old key; ")
	if log := s.log.String(); strings.Contains(log, own) || strings.Contains(log, service.Token) {
		t.Error("the log has a token")
	}

	// A service that refuses is an error at once, and none that may pass.
	service.Revoke(service.Token)
	keys("(?s)which does NOT open it.*403 Forbidden; the token may not use this key", in("status")...)
	if text, err := exec.CommandContext(ctx, binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--database-url", database, "--behind-tls-proxy", "--kms-token-file", mine}, at...)...).CombinedOutput(); err == nil || !strings.Contains(string(text), "403 Forbidden") {
		t.Errorf("a server that may not: %s, %v", text, err)
	}
	give(mine, service.NewToken("encrypt", "decrypt"))
	keys("is in the clear now", with("unseal")...)
	keys(`source +file \S+\n`, "status", "--keys", path, "--database-url", database)
}

// makeReal has a demo's hospital be nobody's, so that tidechart serve takes it.
func makeReal(t *testing.T, database string) {
	t.Helper()
	conn := connect(t, database)
	for _, sql := range []string{
		`ALTER TABLE unit DISABLE TRIGGER ALL`, `ALTER TABLE facility DISABLE TRIGGER ALL`,
		`UPDATE facility SET id = 'real'`, `UPDATE unit SET facility_id = 'real'`,
		`ALTER TABLE unit ENABLE TRIGGER ALL`, `ALTER TABLE facility ENABLE TRIGGER ALL`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
