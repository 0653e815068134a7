package e2e

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDrain: a server that is asked to end commits the last edits, tells its
// peers to come back, leaves no Postgres behind, and has everything when it
// starts again. The page counts what is typed meanwhile, and saves it then.
func TestDrain(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "chen")
	note := s.newNote(t, token)
	n := startNode(t)
	clients := []*yclient{
		n.connect("y", yWebsocket, s, note, token, map[string]any{"backoff": 500}),
		n.connect("h", hocuspocusV4, s, note, token, map[string]any{"backoff": 500}),
	}
	for _, c := range clients {
		c.wait(want{"synced": true})
	}
	clients[0].fresh()
	clients[1].wait(want{"blocks": 1, "text": ""})
	chen := signedIn(t, s, "chen")
	chen.openNote(note)
	chen.allow(lineAway...)

	endWithEditsInFlight(t, s, clients)
	for _, c := range clients {
		c.wait(want{"closes": 1})
		if st := c.stats(); st.Closes[0].Code != 1012 && st.Closes[0].Code != 1013 || st.GaveUp {
			t.Errorf("%s was told %+v (gave up: %v), want 1012 or 1013: come back", c.name, st.Closes[0], st.GaveUp)
		}
		n.must(c.name, "leave", nil, nil)
	}
	chen.typeOffline("typed offline")
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	checkHas(t, s.text(t, token, note), "last by y; ", "last by h; ")
	chen.waitStatus("saved")
	text := s.text(t, token, note)
	checkHas(t, text, "last by y; ", "last by h; ", "typed offline")
	s.checkLog(t, note)
	for _, c := range clients {
		n.must(c.name, "comeBack", nil, nil)
		c.wait(want{"synced": true, "text": text})
	}
}

// endWithEditsInFlight tells the server to end while the last edits, one of
// each client, wait for the database. Presence needs no commit and comes after
// them: who sees the cursor knows that the server has the edit.
func endWithEditsInFlight(t *testing.T, s *server, clients []*yclient) {
	t.Helper()
	s.freezePostgres(t)
	for i, c := range clients {
		c.insert(0, "last by "+c.name+"; ")
		clients[1-i].wait(c.setCursor(0))
	}
	if err := s.terminate(); err != nil {
		t.Fatal(err)
	}
	s.thawPostgres()
	if err := s.waitExit(); err != nil {
		t.Fatalf("the server ends with %v, want success", err)
	}
	if pids := s.postgresTree(); len(pids) > 0 {
		t.Errorf("Postgres still runs: %v", pids)
	}
}

// typeOffline types while there is no server, and waits for the page to say
// how much is unsaved.
func (w *window) typeOffline(text string) {
	w.t.Helper()
	w.waitStatus("offline")
	w.caretAtEnd(0)
	if err := w.typeKeys(text); err != nil {
		w.t.Fatal(err)
	}
	w.waitFor("the number of unsaved changes", `/^Offline: [1-9]\d* (word|change)s? not saved yet$/.test(document.querySelector('#save-text').textContent)`)
}

// checkHas fails unless the note has each part once: these edits were received,
// or kept by a page, before the server ended.
func checkHas(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Count(text, part) != 1 {
			t.Errorf("after the restart the note is %q; want %q in it once", text, part)
		}
	}
}

// TestServeRefusesToStart: the production form says why it will not start
// without a database, or without a way to keep traffic and what is stored secret.
func TestServeRefusesToStart(t *testing.T) {
	t.Parallel()
	cert := filepath.Join(t.TempDir(), "absent.pem")
	keys, open := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "open")
	for _, file := range []string{keys, open} {
		if out, err := exec.CommandContext(t.Context(), binary, "keys", "init", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		args []string
		say  []string
	}{
		{"nothing", []string{"serve"}, []string{"database-url"}},
		{"no database", []string{"serve", "--behind-tls-proxy"}, []string{"database-url"}},
		{"no TLS", []string{"serve", "--database-url", "postgres://localhost/none"}, []string{"tls", "--behind-tls-proxy"}},
		{"passwords alone", []string{"serve", "--second-factor=nobody"}, []string{"second-factor must be one of", "all", "overseers"}},
		{"absent certificate", []string{"serve", "--database-url", "postgres://localhost/none", "--tls-cert", cert, "--tls-key", cert}, []string{"absent.pem"}},
		{"demo's password has no place", []string{"serve", "--database-url", "postgres://nobody:tidechart-demo@127.0.0.1:1/none", "--behind-tls-proxy", "--keys", keys}, []string{"database"}},
		{"key that others read", []string{"serve", "--database-url", "postgres://localhost/none", "--tls-cert", open, "--tls-key", open}, []string{"chmod 600"}},
		{"database that may be anybody", []string{"serve", "--database-url", "postgres://u:tidechart-demo@db.example/n?sslmode=require", "--behind-tls-proxy"}, []string{
			"db.example", "sslmode=verify-full", "sslrootcert=", "--insecure-database",
		}},
		{"the same of a command", []string{"user", "list", "--database-url", "postgres://u:tidechart-demo@db.example/n"}, []string{"sslmode=verify-full"}},
		{"demand on a proxy", []string{"serve", "--database-url", "postgres://localhost/none", "--behind-tls-proxy", "--tls-pq=require"}, []string{"--tls-pq=require", "proxy"}},
		{"metrics for everybody", []string{"serve", "--database-url", "postgres://localhost/none", "--behind-tls-proxy", "--keys", keys, "--metrics-listen", "0.0.0.0:9464"}, []string{
			"--metrics-listen is an address of this machine alone",
		}},
		{"no keys", []string{"serve", "--database-url", "postgres://localhost/none", "--behind-tls-proxy"}, []string{"--keys file", "tidechart keys init"}},
		{"keys that others read", []string{"serve", "--database-url", "postgres://localhost/none", "--behind-tls-proxy", "--keys", open}, []string{"chmod 600"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.args[0] == "serve" {
				tt.args = append(tt.args, "--listen", "127.0.0.1:0")
			}
			cmd := exec.CommandContext(t.Context(), binary, tt.args...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() == 0 {
				t.Fatalf("it ended with %v, want a failure: %s", err, out)
			}
			for _, word := range tt.say {
				if !strings.Contains(strings.ToLower(string(out)), word) {
					t.Errorf("it says %q, want %q named", out, word)
				}
			}
			if strings.Contains(string(out), password) || strings.Contains(string(out), "panic") {
				t.Errorf("it says %q", out)
			}
		})
	}
}

// TestHealth: the two probes answer without a login, and readiness follows the
// database.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	c := &http.Client{Timeout: patience}
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, _ := fetch(t, c, s.url+path); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	s.freezePostgres(t)
	if resp, _ := fetch(t, c, s.url+"/readyz"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/readyz with a frozen database: %s, want 503", resp.Status)
	}
	if resp, _ := fetch(t, c, s.url+"/healthz"); resp.StatusCode != http.StatusOK {
		t.Errorf("/healthz with a frozen database: %s, want 200: the process lives", resp.Status)
	}
}
