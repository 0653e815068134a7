package e2e

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
)

// TestServerRemembers: a server that keeps the newest checkpoint elsewhere does not begin on an older copy of its database, until its operator
// has said that they put it there.
func TestServerRemembers(t *testing.T) {
	t.Parallel()
	s := startServer(t) // for its Postgres
	at, err := postgres.Running(s.data)
	if err != nil {
		t.Fatal(err)
	}
	urlOf := func(database string) string {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + database
		return u.String()
	}
	sql := func(database, statement string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), urlOf(database))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	dir := t.TempDir()
	keys, seen := filepath.Join(dir, "keys"), filepath.Join(dir, "seen")
	if _, err := s.command(t.Context(), "keys", "init", keys); err != nil {
		t.Fatal(err)
	}
	// serve runs a server until it has kept another checkpoint than before, or has ended; it returns what it said.
	serve := func(database string) (said string, kept bool) {
		t.Helper()
		before, _ := os.ReadFile(seen)
		var log strings.Builder
		cmd := exec.Command(binary, "serve", "--database-url", urlOf(database), "--keys", keys, "--seen", seen, "--behind-tls-proxy", "--public-url", "https://notes.example", "--listen", "127.0.0.1:0")
		cmd.Stderr = &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		look := time.NewTicker(50 * time.Millisecond)
		defer look.Stop()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline) && !kept; {
			select {
			case <-ended:
				return log.String(), false
			case <-look.C:
				now, _ := os.ReadFile(seen)
				kept = len(now) > 0 && string(now) != string(before)
			}
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		return log.String(), kept
	}

	sql("postgres", `CREATE DATABASE newer`)
	if said, kept := serve("newer"); !kept {
		t.Fatalf("nothing is kept: %s", said)
	}
	sql("postgres", `CREATE DATABASE older TEMPLATE newer`)
	sql("newer", `INSERT INTO audit_event (act, outcome, code) VALUES ('test', 'done', '')`)
	sql("newer", `UPDATE audit_head SET signed = 'epoch'`)
	if said, kept := serve("newer"); !kept {
		t.Fatalf("nothing more is kept: %s", said)
	}
	sql("older", `UPDATE audit_head SET signed = 'epoch'`)
	said, kept := serve("older")
	if kept || !strings.Contains(said, "the log is not the one that was signed") || !strings.Contains(said, "audit accept --seen") {
		t.Fatalf("the server begins on an older copy (kept: %t): %s", kept, said)
	}
	accept := []string{"audit", "accept", "--database-url", urlOf("older"), "--keys", keys, "--seen", seen}
	if said, err := s.command(t.Context(), accept...); err != nil || !strings.Contains(said, "goes on behind") {
		t.Fatalf("accept: %s, %v", said, err)
	}
	if said, kept := serve("older"); !kept {
		t.Errorf("accepted, the server does not begin: %s", said)
	}
	if said, err := s.command(t.Context(), accept...); err != nil || !strings.Contains(said, "nothing had to be accepted") {
		t.Errorf("accept again: %s, %v", said, err)
	}
}
