package transit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/server/vault/transit"
	"github.com/clisonix/tidechart/server/vault/transit/transittest"
)

// secret is what is sealed here: 32 bytes, as in life.
var secret = []byte("planted: thirty-two secret bytes")

func connect(t *testing.T, s *transittest.Service, change func(*transit.Config)) *transit.Key {
	t.Helper()
	c := transit.Config{URL: s.URL, CAFile: s.CA, Token: func(context.Context) (string, error) { return s.Token, nil }}
	if change != nil {
		change(&c)
	}
	k, err := transit.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func brief(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

// TestSealedOpens: what a key seals opens by that key, also after it was rotated, and not by a version that was given up, by
// another key, or changed.
func TestSealedOpens(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	k := connect(t, s, nil)
	sealed, err := k.Seal(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Seal(t.Context(), secret)
	if err != nil || again == sealed || transit.Version(sealed) != "1" || strings.Contains(sealed, base64.StdEncoding.EncodeToString(secret)[:12]) {
		t.Errorf("sealed as %q, then as %q: %v", sealed, again, err)
	}
	if plain, err := k.Open(t.Context(), sealed); err != nil || !bytes.Equal(plain, secret) {
		t.Errorf("opened as %q, %v", plain, err)
	}
	if err := k.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	s.Rotate()
	newer, err := k.Seal(t.Context(), secret)
	if err != nil || transit.Version(newer) != "2" {
		t.Errorf("sealed by the new version as %q, %v", newer, err)
	}
	if plain, err := k.Open(t.Context(), sealed); err != nil || !bytes.Equal(plain, secret) {
		t.Errorf("of the old version: %q, %v", plain, err)
	}
	changed := []byte(sealed)
	if at := &changed[len(changed)-8]; *at == 'A' {
		*at = 'B'
	} else {
		*at = 'A'
	}
	s.Do("POST", "transit/keys/another", map[string]any{}, nil)
	another := connect(t, s, func(c *transit.Config) { c.URL = strings.Replace(c.URL, "/tidechart", "/another", 1) })
	for what, open := range map[string]func() ([]byte, error){
		"changed":        func() ([]byte, error) { return k.Open(t.Context(), string(changed)) },
		"by another key": func() ([]byte, error) { return another.Open(t.Context(), sealed) },
		"a given up one": func() ([]byte, error) { s.GiveUp(2); return k.Open(t.Context(), sealed) },
	} {
		if plain, err := open(); !errors.Is(err, transit.ErrRefused) {
			t.Errorf("%s: %q, %v", what, plain, err)
		}
	}
	if plain, err := k.Open(t.Context(), newer); err != nil || !bytes.Equal(plain, secret) {
		t.Errorf("of the version that is left: %q, %v", plain, err)
	}
	for _, no := range []string{"", "vault:v1:", "vault:v:AAAA", "another:v1:AAAA", "vault:v1:AA\nAA", "vault:v1:" + strings.Repeat("A", 2000)} {
		if _, err := k.Open(t.Context(), no); err == nil || errors.Is(err, transit.ErrAway) {
			t.Errorf("%q: %v", no, err)
		}
	}
}

// TestRefusals: what the service refuses is an error at once, which says what to do, and is not tried again; neither secret nor token is in it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	sealed, err := connect(t, s, nil).Seal(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	stranger := transittest.Start(t)
	with := func(token string) func(*transit.Config) {
		return func(c *transit.Config) { c.Token = func(context.Context) (string, error) { return token, nil } }
	}
	revoked := s.NewToken("decrypt")
	s.Revoke(revoked)
	for what, tt := range map[string]struct {
		change func(*transit.Config)
		want   string
	}{
		"no token":                   {func(c *transit.Config) { c.Token = nil }, "403 Forbidden; the token may not use this key"},
		"a wrong token":              {with("hvs.planted-and-wrong"), "403 Forbidden; the token may not use this key"},
		"a token that was revoked":   {with(revoked), "permission denied"},
		"a token for something else": {with(s.NewToken("encrypt")), "permission denied"},
		"another engine":             {func(c *transit.Config) { c.URL = strings.Replace(c.URL, "/transit/", "/elsewhere/", 1) }, ""},
		"another namespace":          {func(c *transit.Config) { c.Namespace = "nowhere" }, "namespace not found"},
		"without its certificate":    {func(c *transit.Config) { c.CAFile = "" }, "--kms-ca"},
		"with another's":             {func(c *transit.Config) { c.CAFile = stranger.CA }, "--kms-ca"},
	} {
		k := connect(t, s, func(c *transit.Config) {
			tt.change(c)
			c.Retrying = func(err error) { t.Errorf("%s is tried again: %v", what, err) }
		})
		_, err := k.Open(t.Context(), sealed)
		if !errors.Is(err, transit.ErrRefused) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), revoked) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNamespaces: a key of a namespace is found there, and not outside.
func TestNamespaces(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	token := s.Namespace("hospital")
	there := func(c *transit.Config) {
		c.Namespace, c.Token = "hospital", func(context.Context) (string, error) { return token, nil }
	}
	sealed, err := connect(t, s, there).Seal(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := connect(t, s, there).Open(t.Context(), sealed); err != nil || !bytes.Equal(plain, secret) {
		t.Errorf("opened as %q, %v", plain, err)
	}
	if _, err := connect(t, s, nil).Open(t.Context(), sealed); !errors.Is(err, transit.ErrRefused) {
		t.Errorf("outside: %v", err)
	}
}

// TestAwayServiceIsAwaited: who is told that the service is away asks again, until it is back or time is up; that holds for a service
// that nobody reaches, that says nothing, or is sealed itself.
func TestAwayServiceIsAwaited(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	sealed, err := connect(t, s, nil).Seal(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	for what, way := range map[string]struct{ leave, back func() }{
		"gone":   {s.Away, s.Back},
		"silent": {s.Silent, s.Back},
		"sealed": {s.Seal, s.Unseal},
	} {
		way.leave()
		if what == "silent" { // each try takes its time
			if _, err := connect(t, s, nil).Open(brief(t), sealed); !errors.Is(err, transit.ErrAway) {
				t.Errorf("%s: %v", what, err)
			}
			way.back()
			continue
		}
		soon, cancel := context.WithCancel(t.Context())
		k := connect(t, s, func(c *transit.Config) { c.Retrying = func(error) { cancel() } })
		if _, err := k.Open(soon, sealed); !errors.Is(err, transit.ErrAway) || what == "sealed" && !strings.Contains(err.Error(), "it is sealed") {
			t.Errorf("%s: %v", what, err)
		}
		told := make(chan error, 100)
		waiting := connect(t, s, func(c *transit.Config) { c.Retrying = func(err error) { told <- err } })
		opened := make(chan error, 1)
		go func() {
			_, err := waiting.Open(t.Context(), sealed)
			opened <- err
		}()
		select {
		case err := <-told:
			if !errors.Is(err, transit.ErrAway) {
				t.Errorf("%s: told %v", what, err)
			}
		case err := <-opened:
			t.Errorf("%s: not asked again: %v", what, err)
			opened <- err
		}
		way.back()
		if err := <-opened; err != nil {
			t.Errorf("%s, and back: %v", what, err)
		}
	}
}

// TestTokenIsReadAnew for each try: who waits for a token that is not there yet, or was replaced, goes on with it.
func TestTokenIsReadAnew(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	asked := 0
	k := connect(t, s, func(c *transit.Config) {
		c.Token = func(context.Context) (string, error) {
			if asked++; asked == 1 {
				return "", os.ErrNotExist
			}
			return s.Token, nil
		}
	})
	if _, err := k.Seal(t.Context(), secret); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestPausesGrow between tries, and each try ends: an hour without answer is some 500 tries, not thousands.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		var last time.Time
		var longest time.Duration
		k, err := transit.New(transit.Config{
			URL:   "https://127.0.0.1:1/v1/transit/keys/x",
			Token: func(context.Context) (string, error) { return "", os.ErrNotExist },
			Retrying: func(error) {
				if tries++; tries > 1 {
					longest = max(longest, time.Since(last))
				}
				last = time.Now()
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begin := time.Now()
		if _, err := k.Seal(ctx, secret); !errors.Is(err, transit.ErrAway) || time.Since(begin) != time.Hour {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if tries < 360 || tries > 800 || longest > 10*time.Second || longest < 5*time.Second {
			t.Errorf("%d tries in an hour, %v apart at most", tries, longest)
		}
	})
}

// TestHostileAnswers: whatever answers, nothing is taken for a plaintext that is none, and what was to be sealed is in no error.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	echo := false
	var body string
	status := http.StatusOK
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		if echo {
			var sent map[string]string
			_ = json.NewDecoder(r.Body).Decode(&sent)
			_ = json.NewEncoder(w).Encode(map[string][]string{"errors": {"cannot seal " + sent["plaintext"] + " with " + r.Header.Get("X-Vault-Token")}})
			return
		}
		_, _ = w.Write([]byte(body))
	}))
	defer hostile.Close()
	k, err := transit.New(transit.Config{URL: hostile.URL + "/v1/transit/keys/x", Token: func(context.Context) (string, error) { return "hvs.planted-token", nil }})
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(secret)
	for what, tt := range map[string]struct {
		status int
		body   string
		echo   bool
	}{
		"an echo":          {400, "", true},
		"a page":           {200, "<html>sign in", false},
		"a page of errors": {400, "<html>" + encoded, false},
		"nothing":          {204, "", false},
		"no data":          {200, `{"data":null}`, false},
		"other data":       {200, `{"data":{"ciphertext":"vault:v1:\nAAAA","plaintext":"???"}}`, false},
		"numbers":          {200, `{"data":{"ciphertext":1,"plaintext":2}}`, false},
		"too much":         {200, `{"data":{"ciphertext":"vault:v1:AAAA"},"x":"` + strings.Repeat("x", 70<<10) + `"}`, false},
		"much to say":      {400, `{"errors":["` + strings.Repeat("words and \\u001b[31m ", 500) + `"]}`, false},
		"elsewhere":        {302, "", false},
	} {
		status, body, echo = tt.status, tt.body, tt.echo
		for _, err := range []error{second(k.Seal(t.Context(), secret)), second(k.Open(t.Context(), "vault:v1:AAAA"))} {
			if err == nil || errors.Is(err, transit.ErrAway) || strings.Contains(err.Error(), encoded[:12]) || strings.Contains(err.Error(), "planted") ||
				strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 600 {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestLeaderIsFollowed: a node that is not its cluster's leader says where that is; it is asked there, with the token, and not over a worse
// line.
func TestLeaderIsFollowed(t *testing.T) {
	t.Parallel()
	s := transittest.Start(t)
	leader, to := strings.TrimSuffix(s.URL, "/v1/transit/keys/tidechart"), ""
	node := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer node.Close()
	both := filepath.Join(t.TempDir(), "ca.pem")
	own, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(both, append(own, pemOf(node)...), 0o600); err != nil {
		t.Fatal(err)
	}
	k := connect(t, s, func(c *transit.Config) { c.URL, c.CAFile = node.URL+"/v1/transit/keys/tidechart", both })
	to = leader
	if _, err := k.Seal(t.Context(), secret); err != nil {
		t.Errorf("to the leader: %v", err)
	}
	clear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("it asks in the clear, with %d bytes of token", len(r.Header.Get("X-Vault-Token")))
	}))
	defer clear.Close()
	to = clear.URL
	if _, err := k.Seal(t.Context(), secret); !errors.Is(err, transit.ErrRefused) {
		t.Errorf("in the clear: %v", err)
	}
	to = node.URL
	if _, err := k.Seal(t.Context(), secret); !errors.Is(err, transit.ErrRefused) {
		t.Errorf("round and round: %v", err)
	}
}

// TestAddresses: a key service is reached by TLS, but for an agent on this machine, and by the address of its key.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"https://vault.example:8200/v1/transit/keys/tidechart":     true,
		"https://vault.example/v1/hospital/transit/keys/tidechart": true,
		"http://127.0.0.1:8100/v1/transit/keys/tidechart":          true,
		"http://[::1]:8100/v1/transit/keys/tidechart":              true,
		"http://localhost:8100/v1/transit/keys/tidechart":          true,
		"http://vault.example/v1/transit/keys/tidechart":           false,
		"http://127.0.0.1.example/v1/transit/keys/tidechart":       false,
		"https://vault.example:8200":                               false,
		"https://vault.example/v1/transit/encrypt/tidechart":       false,
		"https://vault.example/v1/transit/keys/../tidechart":       false,
		"https://vault.example/v1/transit/keys/tidechart?x":        false,
		"https://me:secret@vault.example/v1/transit/keys/x":        false,
		"https:///v1/transit/keys/x":                               false,
		"unix:///v1/transit/keys/x":                                false,
		"":                                                         false,
	} {
		k, err := transit.New(transit.Config{URL: url})
		if good != (err == nil) || good && k.String() != url || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, %v", url, k, err)
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	if _, err := transit.New(transit.Config{URL: "https://x/v1/transit/keys/x", CAFile: none}); err == nil {
		t.Error("certificates that are not there")
	}
	if err := os.WriteFile(none, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := transit.New(transit.Config{URL: "https://x/v1/transit/keys/x", CAFile: none}); err == nil {
		t.Error("certificates that are none")
	}
}

func pemOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
