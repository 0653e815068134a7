package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/demo/demotest"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
)

func TestMain(m *testing.M) { postgrestest.Hasty(m) }

// hospital is a demo server on a database of its own.
type hospital struct {
	*httptest.Server
	t    *testing.T
	db   *store.DB
	url  string // of the database
	hub  *sessions.Hub
	edge *server.Server
	log  *lockedBuffer
	note uuid.UUID // on 4 West
	seen int64     // the last act on record that a test has looked at
}

// here is how browsers reach the server, as the operator says.
var here = &url.URL{Scheme: "https", Host: "notes.example"}

func open(t *testing.T, but ...func(*server.Config)) *hospital {
	t.Helper()
	db, database := demotest.Open(t)
	h := serve(t, db, database, but...)
	notes, err := db.NotesFor(t.Context(), queries.NotesForParams{Everyone: true, Unit: "4-west", MaxRows: 1})
	if err != nil || len(notes) == 0 {
		t.Fatal(err, notes)
	}
	h.note = notes[0].Note.ID // by who writes no tasks in the demo: stock editors write it, too
	return h
}

// serve runs a server on a database.
func serve(t *testing.T, db *store.DB, database string, but ...func(*server.Config)) *hospital {
	t.Helper()
	h := &hospital{t: t, db: db, url: database, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.hub = sessions.NewHub(db, log)
	t.Cleanup(func() { _ = h.hub.Close(context.Background()) })
	config := server.Config{DB: db, Hub: h.hub, Log: log, Version: "test", PublicURL: here, SecondFactor: login.FromNobody}
	for _, change := range but {
		change(&config)
	}
	h.edge = server.New(config)
	h.Server = httptest.NewServer(h.edge.Handler())
	watch, stop := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() { defer close(watched); h.edge.Watch(watch) }()
	t.Cleanup(func() { stop(); <-watched })
	t.Cleanup(h.Close)
	t.Cleanup(h.edge.Drain) // before Close, which waits for streams
	return h
}

// signIn returns a browser with a login.
func (h *hospital) signIn(username string) *http.Client {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := c.PostForm(h.URL+"/login", url.Values{"username": {username}, "password": {demo.Password}})
	if err != nil {
		h.t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("sign in as %s: %s", username, r.Status)
	}
	return c
}

// loginOf returns the cookie of a browser's login.
func loginOf(c *http.Client, at *url.URL) *http.Cookie {
	for _, cookie := range c.Jar.Cookies(at) {
		if cookie.Name == "tidechart" {
			return cookie
		}
	}
	return &http.Cookie{}
}

func (h *hospital) get(c *http.Client, path string) (status int, body string, header http.Header) {
	h.t.Helper()
	r, err := c.Get(h.URL + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.StatusCode, string(b), r.Header
}

// api sends one request with a token.
func (h *hospital) api(method, path, token, accept string, body []byte) (int, []byte, http.Header) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/octet-stream")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.StatusCode, b, r.Header
}

func (h *hospital) token(username string) string {
	h.t.Helper()
	token, err := login.IssueToken(h.t.Context(), h.db, login.NewToken{Username: username})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func TestSignIn(t *testing.T) {
	h := open(t)
	for _, tt := range []struct{ name, username, password string }{
		{"a wrong password", "chen", "guess"},
		{"nobody", "nobody", demo.Password},
		{"an empty form", "", ""},
	} {
		r, err := http.PostForm(h.URL+"/login", url.Values{"username": {tt.username}, "password": {tt.password}})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if r.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), "is wrong") || len(r.Cookies()) > 0 {
			t.Errorf("%s: %s, cookies %v", tt.name, r.Status, r.Cookies())
		}
	}

	c := h.signIn("chen")
	if status, _, _ := h.get(c, "/"); status != http.StatusOK {
		t.Errorf("worklist: %d", status)
	}
	at, _ := url.Parse(h.URL)
	old := loginOf(c, at)
	r, err := c.Post(h.URL+"/logout", "", nil)
	if err != nil || r.StatusCode != http.StatusSeeOther {
		t.Fatal(r, err)
	}
	_ = r.Body.Close()
	c.Jar.SetCookies(at, []*http.Cookie{old}) // as somebody would who had copied it
	if status, _, header := h.get(c, "/notes/"+h.note.String()); status != http.StatusSeeOther ||
		header.Get("Location") != "/login?next=%2Fnotes%2F"+h.note.String() {
		t.Errorf("after signing out: %d to %s", status, header.Get("Location"))
	}
}

// TestWorklistFilter: every word must be found, in whatever people know a patient by.
func TestWorklistFilter(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	for query, want := range map[string][2]bool{ // KELPWELL is in 4W-02, DRIFTMOOR, Ada in 4W-01
		"kelp": {true, false}, "4w-01": {false, true}, "ADA drift": {false, true}, "kelp 4w-01": {false, false},
		"discharge": {true, false}, "T-104248": {true, false},
	} {
		_, page := h.post(c, "/", url.Values{"q": {query}})
		if got := [2]bool{strings.Contains(page, "KELPWELL"), strings.Contains(page, "DRIFTMOOR, Ada")}; got != want {
			t.Errorf("filter %q: %v, want %v", query, got, want)
		}
	}
	if _, page, _ := h.get(c, "/?q=kelp"); !strings.Contains(page, "DRIFTMOOR, Ada") {
		t.Error("an address, which is kept and logged, names who is looked for")
	}
}

// TestNextStaysHere: signing in leads to no other site.
func TestNextStaysHere(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	for next, want := range map[string]string{
		"/units/4-west": "/units/4-west", "": "/", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/a\r\nb": "/",
		"/\t/evil.example": "/", "/\x00": "/", "/?q=a%2F%2Fb": "/?q=a%2F%2Fb",
	} {
		r, err := c.PostForm(h.URL+"/login", url.Values{"username": {"chen"}, "password": {demo.Password}, "next": {next}})
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if got := r.Header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q, want %q", next, got, want)
		}
	}
}

// TestRolesAtTheDoor: each page, for each role that differs.
func TestRolesAtTheDoor(t *testing.T) {
	h := open(t)
	note := "/notes/" + h.note.String()
	want := map[string]map[string]int{
		"rivera":    {"/": 200, note: 200, "/units/4-west": 200, "/admin/sessions": 403, "/api/docs": 200},
		"lindqvist": {"/": 200, note: 200, "/units/4-west": 200, "/admin/sessions": 200},
		"novak":     {"/": 303, note: 403, "/units/4-west": 403, "/admin/sessions": 200},
	}
	for username, pages := range want {
		c := h.signIn(username)
		for path, status := range pages {
			if got, _, _ := h.get(c, path); got != status {
				t.Errorf("%s at %s: %d, want %d", username, path, got, status)
			}
		}
	}
	c := h.signIn("chen")
	for _, path := range []string{"/notes/" + uuid.NewString(), "/notes/none", "/units/none", "/units/%00", "/?unit=none", "/?unit=%00", "/nowhere"} {
		if got, _, _ := h.get(c, path); got != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got)
		}
	}
}

// TestHeaders: every answer carries them, whoever asks for whatever.
func TestHeaders(t *testing.T) {
	h := open(t)
	chen := h.signIn("chen")
	nonces := make(map[string]bool)
	for _, c := range []*http.Client{h.browser(), chen} {
		for _, path := range []string{
			"/", "/login", "/enrol", "/nowhere", "/healthz", "/login/left", "/notes/" + h.note.String(), "/units/4-west", "/admin/sessions",
			"/api/docs", "/api/v1/notes", "/api/v1/notes/" + h.note.String() + "/state", "/api/v1/openapi.json", "/ws",
		} {
			_, body, header := h.get(c, path)
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "",
				"Access-Control-Allow-Origin": "",
			} {
				if got := header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", path, name, got, want)
				}
			}
			if got := header.Get("Permissions-Policy"); !strings.Contains(got, "camera=()") {
				t.Errorf("%s: Permissions-Policy is %q", path, got)
			}
			policy := header.Get("Content-Security-Policy")
			nonce := regexp.MustCompile(`script-src 'nonce-([A-Z2-7]{26})';`).FindStringSubmatch(policy)
			if nonce == nil || nonces[nonce[1]] || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: the policy is %q, whose nonce may not come twice", path, policy)
				continue
			}
			nonces[nonce[1]] = true
			for _, part := range []string{"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types "} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s: the policy is %q without %s", path, policy, part)
				}
			}
			if scripts, marked := strings.Count(body, "<script"), strings.Count(body, `nonce="`+nonce[1]+`"`); scripts != marked {
				t.Errorf("%s: %d of %d scripts have the nonce", path, marked, scripts)
			}
		}
	}
	if status, body, _ := h.get(http.DefaultClient, "/readyz"); status != 200 {
		t.Errorf("ready: %d %s", status, body)
	}
	h.edge.Drain()
	if status, _, _ := h.get(http.DefaultClient, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("draining: %d", status)
	}
}

// TestSecureServer: over TLS, browsers are told to stay there, and the cookie is bound to the host.
func TestSecureServer(t *testing.T) {
	h := open(t, withProvider(newIssuer(t)), func(config *server.Config) { config.Secure = true })
	var r *http.Response
	for _, form := range []struct {
		path    string
		values  url.Values
		cookies map[string]http.SameSite
	}{
		{"/passkeys/sign-in/ask", nil, map[string]http.SameSite{"__Host-tidechart-ceremony": http.SameSiteStrictMode}},
		// What the provider's site leads back to has to show which question it answers; that lets nobody in by itself.
		{"/login/provider", url.Values{"for": {"sign-in"}}, map[string]http.SameSite{"__Host-tidechart-ceremony": http.SameSiteLaxMode}},
		{"/login", url.Values{"username": {"chen"}, "password": {demo.Password}}, map[string]http.SameSite{
			"__Host-tidechart": http.SameSiteStrictMode, "__Host-tidechart-device": http.SameSiteStrictMode,
		}},
	} {
		var err error
		if r, err = h.browser().PostForm(h.URL+form.path, form.values); err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if got := r.Header.Get("Strict-Transport-Security"); got != "max-age=63072000; includeSubDomains" {
			t.Errorf("%s: Strict-Transport-Security is %q", form.path, got)
		}
		if len(r.Cookies()) != len(form.cookies) {
			t.Errorf("%s sets %d cookies, want %d", form.path, len(r.Cookies()), len(form.cookies))
		}
		for _, c := range r.Cookies() {
			if c.SameSite != form.cookies[c.Name] || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: cookie %s: %+v", form.path, c.Name, c)
			}
		}
	}
	for origin, want := range map[string]int{
		"https://" + r.Request.URL.Host: http.StatusSwitchingProtocols, "http://" + r.Request.URL.Host: http.StatusForbidden,
	} {
		ws, r, err := websocket.Dial(t.Context(), h.URL+"/ws", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if ws != nil {
			_ = ws.CloseNow()
		}
		if r == nil || r.StatusCode != want {
			t.Errorf("a socket from %s: %v, %v", origin, r, err)
		}
	}
}

// TestViolationsAreReported: the server's log says what a page was kept from doing, and nothing of the page, whoever says so.
func TestViolationsAreReported(t *testing.T) {
	h := open(t)
	for _, report := range []string{
		`{"csp-report":{"effective-directive":"script-src-elem","document-uri":"https://notes.example/notes/CANARY","blocked-uri":"CANARY","script-sample":"CANARY"}}`,
		`{"csp-report":{"effective-directive":"` + strings.Repeat("long", 20) + `CANARY"}}`, `{"csp-report":"CANARY"}`, "CANARY", "",
		`{"csp-report":{"script-sample":"` + strings.Repeat("x", 20<<10) + `","effective-directive":"huge"}}`,
	} {
		r, err := h.browser().Post(h.URL+"/csp-report", "application/csp-report", strings.NewReader(report))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusNoContent {
			t.Errorf("%.40s: %s", report, r.Status)
		}
	}
	log := h.log.String()
	if !strings.Contains(log, `msg="content security policy violated" directive=script-src-elem`) || containsAny(log, "CANARY", "huge") {
		t.Errorf("the log says %s", log)
	}
}

// TestForgedRequests: a page of another site, or of another host of ours, changes nothing with our cookies.
func TestForgedRequests(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	for _, path := range []string{"/login", "/enrol", "/logout", "/notes", "/login/input", "/api/v1/notes", "/api/v1/notes/" + h.note.String() + "/ticket", "/api/v1/notes/" + h.note.String() + "/edits"} {
		for name, header := range map[string]http.Header{
			"cross-site": {"Sec-Fetch-Site": {"cross-site"}}, "same-site": {"Sec-Fetch-Site": {"same-site"}},
			"an old browser": {"Origin": {"https://evil.example"}}, "a sandbox": {"Origin": {"null"}},
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = header
			r, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != http.StatusForbidden {
				t.Errorf("%s to %s: %s", name, path, r.Status)
			}
		}
	}
	if status, _, _ := h.get(c, "/"); status != http.StatusOK {
		t.Errorf("she was signed out: %d", status)
	}
}
