package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// hospital is a demo server on a database of its own.
type hospital struct {
	*httptest.Server
	t    *testing.T
	db   *store.DB
	hub  *sessions.Hub
	edge *server.Server
	log  *lockedBuffer
	note uuid.UUID // on 4 West
}

func open(t *testing.T) *hospital {
	t.Helper()
	db, err := store.Open(t.Context(), postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := demo.Seed(t.Context(), db, time.Now()); err != nil {
		t.Fatal(err)
	}
	h := &hospital{t: t, db: db, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	h.hub = sessions.NewHub(db, log)
	t.Cleanup(func() { _ = h.hub.Close(context.Background()) })
	h.edge = server.New(server.Config{DB: db, Hub: h.hub, Log: log, Version: "test"})
	h.Server = httptest.NewServer(h.edge.Handler())
	t.Cleanup(h.Close)
	t.Cleanup(h.edge.Drain) // before Close, which waits for streams
	notes, err := db.NotesOfUnit(t.Context(), "4-west", 1)
	if err != nil || len(notes) == 0 {
		t.Fatal(err, notes)
	}
	h.note = notes[0].Note.ID
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
	token, err := login.IssueToken(h.t.Context(), h.db, username)
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
	old := c.Jar.Cookies(at)[0]
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
		"": {true, true}, "kelp": {true, false}, "4w-01": {false, true}, "ADA drift": {false, true}, "kelp 4w-01": {false, false},
		"discharge": {true, false}, "T-104248": {true, false},
	} {
		_, page, _ := h.get(c, "/?q="+url.QueryEscape(query))
		if got := [2]bool{strings.Contains(page, "KELPWELL"), strings.Contains(page, "DRIFTMOOR, Ada")}; got != want {
			t.Errorf("filter %q: %v, want %v", query, got, want)
		}
	}
}

// TestSigningOutEndsSockets: whoever takes over the workstation does not write on as somebody else.
func TestSigningOutEndsSockets(t *testing.T) {
	h := open(t)
	leaves, stays := h.signIn("chen"), h.signIn("chen")
	at, _ := url.Parse(h.URL)
	dial := func(c *http.Client) *websocket.Conn {
		header := http.Header{"Origin": {h.URL}, "Cookie": {c.Jar.Cookies(at)[0].String()}}
		ws, _, err := websocket.Dial(t.Context(), h.URL+"/ws/notes/"+h.note.String(), &websocket.DialOptions{HTTPHeader: header})
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, []byte{0, 0, 1, 0}); err != nil { // Step1
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err != nil { // Step2
			t.Fatal(err)
		}
		return ws
	}
	gone, here := dial(leaves), dial(stays)
	r, err := leaves.Post(h.URL+"/logout", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	for err == nil {
		_, _, err = gone.Read(t.Context())
	}
	if websocket.CloseStatus(err) != 4401 {
		t.Errorf("the socket ends with %v, want close code 4401", err)
	}
	if err := here.Write(t.Context(), websocket.MessageBinary, []byte{3}); err != nil {
		t.Errorf("another login's socket: %v", err)
	}
	_ = here.CloseNow()
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

// TestForeignPages may neither post nor open a socket with our cookies.
func TestForeignPages(t *testing.T) {
	h := open(t)
	c := h.signIn("chen")
	at, _ := url.Parse(h.URL)
	cookie := c.Jar.Cookies(at)[0].String()

	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+"/notes", strings.NewReader("kind=progress"))
	req.Header.Set("Origin", "https://evil.example")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	r, err := c.Do(req)
	if err != nil || r.StatusCode != http.StatusForbidden {
		t.Errorf("post of a foreign page: %v, %v", r.Status, err)
	}
	_ = r.Body.Close()

	for _, tt := range []struct {
		name, origin, cookie string
		status               int
	}{
		{"our page", h.URL, cookie, http.StatusSwitchingProtocols},
		{"a foreign page", "https://evil.example", cookie, http.StatusForbidden},
		{"a foreign page without a cookie", "https://evil.example", "", http.StatusForbidden},
		{"a file", "null", cookie, http.StatusForbidden},
		{"another scheme of our host", "https://" + at.Host, cookie, http.StatusForbidden},
		{"a cookie without an origin", "", cookie, http.StatusForbidden},
		{"a program", "", "", http.StatusSwitchingProtocols},
	} {
		for _, path := range []string{"/ws", "/ws/notes/" + h.note.String()} {
			header := http.Header{}
			if tt.origin != "" {
				header.Set("Origin", tt.origin)
			}
			if tt.cookie != "" {
				header.Set("Cookie", tt.cookie)
			}
			ws, r, err := websocket.Dial(t.Context(), h.URL+path, &websocket.DialOptions{HTTPHeader: header})
			if r == nil || r.StatusCode != tt.status {
				t.Errorf("%s at %s: %v, %v", tt.name, path, r, err)
			}
			if ws != nil {
				_ = ws.CloseNow()
			}
		}
	}
}

// TestDeniedSockets: a y-websocket client is told why in a way that makes it stop.
func TestDeniedSockets(t *testing.T) {
	h := open(t)
	for _, tt := range []struct {
		name, note, token string
		code              websocket.StatusCode
	}{
		{"no token", h.note.String(), "", 4401},
		{"a wrong token", h.note.String(), "tide_wrong", 4401},
		{"an administrator", h.note.String(), h.token("novak"), 4403},
		{"an unknown note", uuid.NewString(), h.token("chen"), 4404},
		{"no id", "none", h.token("chen"), 4404},
		{"an editor of yesterday", h.note.String(), h.token("chen") + "&schema=yesterday", 4403},
	} {
		ws, _, err := websocket.Dial(t.Context(), h.URL+"/ws/notes/"+tt.note+"?token="+tt.token, nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		_, message, err := ws.Read(t.Context())
		if err != nil || len(message) < 3 || message[0] != 2 || message[1] != 0 {
			t.Errorf("%s: told % x, %v", tt.name, message, err)
		}
		if _, _, err = ws.Read(t.Context()); websocket.CloseStatus(err) != tt.code {
			t.Errorf("%s: %v, want close code %d", tt.name, err, tt.code)
		}
	}
}

func TestAPI(t *testing.T) {
	h := open(t)
	token, path := h.token("chen"), "/api/v1/notes/"+h.note.String()

	status, body, _ := h.api("GET", "/api/v1/notes?unit=4-west", token, "", nil)
	var list struct {
		Notes []struct {
			ID, Kind, LOINC, Title, Status, Unit string
			Patient                              struct{ ID, Name, MRN string }
		}
	}
	if err := json.Unmarshal(body, &list); status != 200 || err != nil || len(list.Notes) == 0 {
		t.Fatalf("list: %d, %v", status, err)
	}
	first := list.Notes[0]
	if first.ID == "" || first.Kind == "" || first.LOINC == "" || first.Status != "draft" || first.Unit != "4-west" || first.Patient.MRN == "" {
		t.Errorf("list: %+v", first)
	}

	create, _ := json.Marshal(map[string]string{"patient": first.Patient.ID, "kind": "progress"})
	req, _ := http.NewRequestWithContext(t.Context(), "POST", h.URL+"/api/v1/notes", bytes.NewReader(create))
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil || r.StatusCode != http.StatusCreated {
		t.Fatalf("create: %v, %v", r.Status, err)
	}
	_ = r.Body.Close()

	_, text, _ := h.api("GET", path+"/state", token, "text/plain", nil)
	_, asJSON, header := h.api("GET", path+"/state", token, "application/json", nil)
	_, state, _ := h.api("GET", path+"/state", token, "", nil)
	doc := crdt.New("")
	if err := doc.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	if got := prose.Text(prose.Read(doc.XMLFragment("default"))); got != string(text) || got == "" {
		t.Errorf("the update reads %q, the text %q", got, text)
	}
	if !bytes.HasPrefix(asJSON, []byte(`{"type":"doc"`)) || header.Get("Content-Type") != "application/json" {
		t.Errorf("as JSON: %.40s", asJSON)
	}

	edit, err := prose.Build(77, prose.Node{Type: "doc", Content: []prose.Node{
		{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "added by a program"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it is known
		if status, body, _ := h.api("POST", path+"/edits", token, "", edit); status != 200 || strings.TrimSpace(string(body)) != `{"seq":2}` {
			t.Errorf("edit: %d %s", status, body)
		}
	}
	if _, text, _ := h.api("GET", path+"/state", token, "text/plain", nil); !strings.Contains(string(text), "added by a program") {
		t.Errorf("after the edit: %q", text)
	}
	log, err := h.db.Load(t.Context(), h.note)
	if err != nil || log.Head != 2 {
		t.Errorf("log: head %d, %v", log.Head, err)
	}
}

// TestTextFrameIsMalformed: messages are binary.
func TestTextFrameIsMalformed(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/ws", "/ws/notes/" + h.note.String() + "?token=" + h.token("chen")} {
		ws, _, err := websocket.Dial(t.Context(), h.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		for err == nil { // a frame may have been on its way
			_, _, err = ws.Read(t.Context())
		}
		if got := websocket.CloseStatus(err); got != 4400 {
			t.Errorf("%s: %v, want close code 4400", path, err)
		}
	}
}

// TestLargeFrame: a megabyte is a frame, one byte more is not.
func TestLargeFrame(t *testing.T) {
	h := open(t)
	for extra, code := range map[int]websocket.StatusCode{0: 4400, 1: websocket.StatusMessageTooBig} { // zeros are no message
		ws, _, err := websocket.Dial(t.Context(), h.URL+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), websocket.MessageBinary, make([]byte, sessions.MaxFrame+extra)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); websocket.CloseStatus(err) != code {
			t.Errorf("%d bytes: %v, want close code %d", sessions.MaxFrame+extra, err, code)
		}
	}
	if !strings.Contains(h.log.String(), "message too large") {
		t.Error("the log does not say so")
	}
}

// TestAPIErrors are RFC 9457 problems, and hold no content.
func TestAPIErrors(t *testing.T) {
	h := open(t)
	chen, note := h.token("chen"), "/api/v1/notes/"+h.note.String()
	const canary = "CANARY-PENICILLIN"
	for _, tt := range []struct {
		name, method, path, token string
		body                      []byte
		status                    int
	}{
		{"no token", "GET", "/api/v1/notes", "", nil, 401},
		{"an unknown note", "GET", "/api/v1/notes/" + uuid.NewString() + "/state", chen, nil, 404},
		{"no note id", "GET", "/api/v1/notes/none/state", chen, nil, 422},
		{"an administrator reading", "GET", note + "/state", h.token("novak"), nil, 403},
		{"a reader writing", "POST", note + "/edits", h.token("lindqvist"), []byte{0, 0}, 403},
		{"not an update", "POST", note + "/edits", chen, []byte(canary), 422},
		{"an update after a gap", "POST", note + "/edits", chen, []byte{1, 1, 5, 9, 0x84, 5, 8, 1, 'x', 0}, 409},
		{"other text at the template's clocks", "POST", note + "/edits", chen, templateFork(h), 409},
		{"a huge update", "POST", note + "/edits", chen, make([]byte, sessions.MaxFrame+1), 413},
	} {
		status, body, header := h.api(tt.method, tt.path, tt.token, "", tt.body)
		if status != tt.status || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %s, want %d", tt.name, status, header.Get("Content-Type"), body, tt.status)
		}
		if bytes.Contains(body, []byte(canary)) {
			t.Errorf("%s: the answer quotes content", tt.name)
		}
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("the log quotes content")
	}
	for _, status := range []string{"401", "403", "404", "409", "413", "422"} {
		if !strings.Contains(h.log.String(), "status="+status) {
			t.Errorf("the log does not tell of a %s", status)
		}
	}
}

// templateFork writes other text under the client id that laid the note's template.
func templateFork(h *hospital) []byte {
	h.t.Helper()
	fork, err := prose.Build(store.TemplateClient(h.note), prose.Node{Type: "doc", Content: []prose.Node{
		{Type: "paragraph", Content: []prose.Node{{Type: "text", Text: "forged"}}},
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return fork
}

// TestBoardChangesByItself: who watches a unit sees who writes, without asking again.
func TestBoardChangesByItself(t *testing.T) {
	h := open(t)
	r, err := h.signIn("haddad").Get(h.URL + "/units/4-west/events")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	events := make(chan string, 64)
	go func() {
		defer close(events)
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(nil, 1<<20)
		var event strings.Builder
		for lines.Scan() {
			if lines.Text() == "" {
				events <- event.String()
				event.Reset()
			}
			fmt.Fprintln(&event, lines.Text())
		}
	}()
	await := func(what string, ok func(event string) bool) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for {
			select {
			case event, more := <-events:
				if !more {
					t.Fatalf("stream ended before %s", what)
				}
				if ok(event) {
					return
				}
			case <-deadline:
				t.Fatalf("no %s within 10 s", what)
			}
		}
	}
	await("full board", func(e string) bool { return strings.Count(e, "<hx-partial") > 10 })

	ws, _, err := websocket.Dial(t.Context(), h.URL+"/ws/notes/"+h.note.String()+"?token="+h.token("rivera"), nil)
	if err != nil {
		t.Fatal(err)
	}
	await("writer", func(e string) bool {
		return strings.Contains(e, "Rosa Rivera") && strings.Count(e, "hx-swap=\"outerHTML\"") == 2
	})
	_ = ws.Close(websocket.StatusNormalClosure, "")
	await("leave", func(e string) bool { return strings.Contains(e, "<hx-partial") && !strings.Contains(e, "Rosa Rivera") })

	h.edge.Drain()
	for range events { // ends when the stream does
	}
}

// TestHeaders: every answer carries them.
func TestHeaders(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/login", "/nowhere", "/api/v1/notes", "/healthz"} {
		_, _, header := h.get(http.DefaultClient, path)
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, header)
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
