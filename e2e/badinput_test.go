package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// canary stands in everything bad that the tests send, and must be in no log.
const canary = "CANARY-zq7-penicillin"

// badInput is a server with an honest pair of people on a note, beside whom
// others misbehave.
type badInput struct {
	t            *testing.T
	s            *server
	n            *node
	note         string
	chen, rivera string // tokens
	reader       string // of one who may only read
	alice, bob   *yclient
	text         string // of the note, as the honest pair knows it
}

// TestBadInput: whatever is wrong in what somebody sends, they get a clear
// error, the server's log an entry without content, and nobody else notices.
func TestBadInput(t *testing.T) {
	t.Parallel()
	b := newBadInput(t)
	t.Run("wrong password", b.wrongPassword)
	t.Run("invalid token", b.invalidToken)
	t.Run("expired login", b.expiredLogin)
	t.Run("unknown note", b.unknownNote)
	t.Run("foreign origin", b.foreignOrigin)
	t.Run("role without access", b.forbiddenRole)
	t.Run("frames", b.frames)
	t.Run("hocuspocus frames", b.hocuspocusFrames)
	t.Run("gap", b.gap)
	t.Run("forged", b.forged)
	t.Run("write by a reader", b.readerWrites)
	t.Run("cursor", b.cursor)
	t.Run("api", b.apiEdits)
	if log := b.s.log.String(); strings.Contains(log, "CANARY") || strings.Contains(log, b.chen) {
		t.Errorf("the server's log holds what was sent:\n%s", linesWith(log, "CANARY", b.chen))
	}
}

func newBadInput(t *testing.T) *badInput {
	t.Helper()
	b := &badInput{t: t, s: startServer(t), n: startNode(t)}
	b.chen, b.rivera, b.reader = b.s.token(t, "chen"), b.s.token(t, "rivera"), b.s.token(t, "lindqvist")
	return b.onNewNote(t, "")
}

// onNewNote is the same server and people at a note of their own. The clients'
// names have a suffix; alice's client id is as small as they come.
func (b *badInput) onNewNote(t *testing.T, suffix string) *badInput {
	t.Helper()
	own := *b
	own.note = b.s.newNote(t, b.chen)
	own.alice = b.n.connect("alice"+suffix, hocuspocusV4, b.s, own.note, b.chen, map[string]any{"clientID": 7})
	own.bob = b.n.connect("bob"+suffix, yWebsocket, b.s, own.note, b.rivera)
	own.alice.wait(want{"synced": true})
	own.bob.wait(want{"synced": true})
	own.alice.fresh()
	own.bob.wait(want{"blocks": 1, "text": ""})
	return &own
}

// unharmed fails unless the log has a line with said after position from, or
// nothing was to be said, and the honest pair goes on as if nothing had happened.
func (b *badInput) unharmed(t *testing.T, from int, said string) {
	t.Helper()
	if said != "" {
		if err := b.s.log.waitLine(from, said); err != nil {
			t.Error(err)
		}
	}
	b.alice.insert(-1, "a")
	b.bob.insert(-1, "b")
	b.alice.wait(want{"unsynced": 0})
	b.bob.wait(want{"unsynced": 0})
	b.text = b.s.text(t, b.chen, b.note)
	b.alice.wait(want{"text": b.text})
	b.bob.wait(want{"text": b.text})
	if strings.Trim(b.text, "ab\n") != "" {
		t.Errorf("the note has %q, want only what the honest pair wrote", b.text)
	}
	for _, c := range []*yclient{b.alice, b.bob} {
		if st := c.stats(); st.Opens != 1 || len(st.Closes) != 0 || st.Refused != 0 {
			t.Errorf("%s noticed: %d connections, closes %v, %d refused", c.name, st.Opens, st.Closes, st.Refused)
		}
	}
}

func (b *badInput) wrongPassword(t *testing.T) {
	from := b.s.log.len()
	c := &http.Client{Timeout: patience}
	for _, user := range []string{"chen", "nobody-" + canary} {
		resp, err := c.PostForm(b.s.url+"/login", url.Values{"username": {user}, "password": {canary}})
		if err != nil {
			t.Fatal(err)
		}
		page := readAll(t, resp)
		if resp.StatusCode != http.StatusUnauthorized || len(resp.Cookies()) > 0 {
			t.Errorf("sign-in of %s with a wrong password: %s, %d cookies; want 401 and none", user, resp.Status, len(resp.Cookies()))
		}
		if got := textOf(t, page, "login-error"); !strings.Contains(got, "not signed in") {
			t.Errorf("the page says %q", got)
		}
		if !bytes.Contains(page, []byte(`name="password"`)) || bytes.Contains(page, []byte(`value="`+canary)) {
			t.Error("want the form again, without the password")
		}
	}
	b.unharmed(t, from, "sign-in refused")
}

func (b *badInput) invalidToken(t *testing.T) {
	from := b.s.log.len()
	bad := canary + "-token"
	y := b.n.connect("bad-y", yWebsocket, b.s, b.note, bad)
	y.wait(want{"gaveUp": true})
	if st := y.stats(); len(st.Closes) != 1 || st.Closes[0].Code != 4401 || st.Opens != 1 {
		t.Errorf("y-websocket with an invalid token: %+v, want one close 4401", st)
	}
	h := b.n.connect("bad-h", hocuspocusV4, b.s, b.note, bad)
	h.wait(want{"denied": true})
	if st := h.stats(); st.Synced {
		t.Error("a provider with an invalid token is in sync")
	}
	for _, c := range []*yclient{y, h} {
		if got := c.state(); got.Text != "" || len(got.SV) > 1 {
			t.Errorf("%s got the note: %q", c.name, got.Text)
		}
		c.close()
	}
	resp, body := b.s.api(t, apiRequest{method: "GET", path: "/notes", token: bad})
	checkProblem(t, resp, body, http.StatusUnauthorized)
	b.unharmed(t, from, "4401")
}

func (b *badInput) expiredLogin(t *testing.T) {
	c := b.s.signIn(t, "okafor")
	u, err := url.Parse(b.s.url)
	if err != nil {
		t.Fatal(err)
	}
	cookies := c.Jar.Cookies(u)
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "tidechart" })
	if i < 0 {
		t.Fatalf("cookies after sign-in: %v", cookies)
	}
	header := http.Header{"Cookie": {cookies[i].String()}, "Origin": {b.s.url}}
	live, resp := b.s.dial(t, "/ws/notes/"+b.note+"?token="+b.s.ticket(t, c, b.note), header)
	if live == nil {
		t.Fatalf("a socket with a login cookie: %s", resp.Status)
	}
	live.send(websocket.MessageBinary, syncFrame(0, []byte{0}))
	live.readUntil("the document", func(f []byte) bool { return len(f) > 2 && f[0] == 0 })
	ticket := b.s.ticket(t, c, b.note)
	// The honest pair uses tokens; only okafor holds a login.
	if _, err := b.s.db(t).Exec(t.Context(), `UPDATE login SET expires_at = now() - interval '1 minute'`); err != nil {
		t.Fatal(err)
	}
	from := b.s.log.len()
	y, resp := b.s.dial(t, "/ws/notes/"+b.note+"?token="+ticket, header)
	if y == nil {
		t.Fatalf("a socket with an expired login: %s; a refused upgrade makes y-websocket retry for ever", resp.Status)
	}
	frames, code := y.readUntilClosed()
	if code != 4401 || !saysDenied(frames) {
		t.Errorf("y-websocket with an expired login: close %d after %x, want [2 0 reason] and 4401", code, frames)
	}
	resp, page := fetch(t, c, b.s.url+"/notes/"+b.note)
	if resp.Request.URL.Path != "/login" || !bytes.Contains(page, []byte(`name="password"`)) {
		t.Errorf("the note's page with an expired login: %s at %s, want the sign-in form", resp.Status, resp.Request.URL.Path)
	}
	b.unharmed(t, from, "4401")
}

// saysDenied says whether one of the frames is y-protocols' "permission denied".
func saysDenied(frames [][]byte) bool {
	for _, f := range frames {
		if len(f) > 3 && f[0] == 2 && f[1] == 0 {
			return true
		}
	}
	return false
}

func (b *badInput) unknownNote(t *testing.T) {
	const unknown = "00000000-0000-4000-8000-000000000000"
	from := b.s.log.len()
	y := b.n.connect("lost-y", yWebsocket, b.s, unknown, b.chen)
	y.wait(want{"gaveUp": true})
	if st := y.stats(); len(st.Closes) != 1 || st.Closes[0].Code != 4404 {
		t.Errorf("y-websocket on an unknown note: %+v, want one close 4404", st)
	}
	y.close()
	for _, name := range []string{unknown, "no-uuid-" + canary} {
		h := b.n.connect("lost-h", hocuspocusV3, b.s, name, b.chen)
		h.wait(want{"denied": true})
		h.close()
	}
	resp, body := b.s.api(t, apiRequest{method: "GET", path: "/notes/" + unknown + "/state", token: b.chen})
	checkProblem(t, resp, body, http.StatusNotFound)
	resp, _ = fetch(t, b.s.signIn(t, "chen"), b.s.url+"/notes/"+unknown)
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("page of an unknown note: %s, want 404", resp.Status)
	}
	b.unharmed(t, from, "4404")
}

func (b *badInput) foreignOrigin(t *testing.T) {
	from := b.s.log.len()
	for _, path := range []string{"/ws", "/ws/notes/" + b.note} {
		r, resp := b.s.dial(t, path, http.Header{"Origin": {"https://evil.example"}, "Authorization": {"Bearer " + b.chen}})
		if r != nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("socket %s from a foreign origin: %s, want 403", path, resp.Status)
		}
	}
	c := b.s.signIn(t, "chen")
	for _, path := range []string{"/notes", "/logout", "/login"} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", b.s.url+path, strings.NewReader("patient=x&kind="+canary))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, resp)
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from a foreign origin: %s, want 403", path, resp.Status)
		}
	}
	b.unharmed(t, from, "origin")
}

func (b *badInput) forbiddenRole(t *testing.T) {
	from := b.s.log.len()
	novak := b.s.token(t, "novak")
	y := b.n.connect("admin-y", yWebsocket, b.s, b.note, novak)
	y.wait(want{"gaveUp": true})
	if st := y.stats(); len(st.Closes) != 1 || st.Closes[0].Code != 4403 {
		t.Errorf("an administrator on a note: %+v, want one close 4403", st)
	}
	h := b.n.connect("admin-h", hocuspocusV4, b.s, b.note, novak)
	h.wait(want{"denied": true})
	for _, c := range []*yclient{y, h} {
		if got := c.state(); len(got.SV) > 1 {
			t.Errorf("%s got the note: %q", c.name, got.Text)
		}
		c.close()
	}
	resp, body := b.s.api(t, apiRequest{method: "GET", path: "/notes/" + b.note + "/state", token: novak})
	checkProblem(t, resp, body, http.StatusForbidden)
	resp, page := fetch(t, b.s.signIn(t, "novak"), b.s.url+"/notes/"+b.note)
	if resp.StatusCode != http.StatusForbidden || bytes.Contains(page, []byte("note-body")) {
		t.Errorf("an administrator's view of a note: %s, want a page with 403 and no note", resp.Status)
	}
	b.unharmed(t, from, "denied")
}

func (b *badInput) apiEdits(t *testing.T) {
	edits := "/notes/" + b.note + "/edits"
	for _, tt := range []struct {
		name   string
		r      apiRequest
		status int
	}{
		{"not Yjs", apiRequest{method: "POST", path: edits, token: b.rivera, contentType: octets, body: []byte(canary)}, http.StatusUnprocessableEntity},
		{"oversized", apiRequest{method: "POST", path: edits, token: b.rivera, contentType: octets, body: bytes.Repeat([]byte(canary), 200_000)}, http.StatusRequestEntityTooLarge},
		{"no token", apiRequest{method: "POST", path: edits, contentType: octets, body: []byte{0, 0}}, http.StatusUnauthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from := b.s.log.len()
			resp, body := b.s.api(t, tt.r)
			checkProblem(t, resp, body, tt.status)
			b.unharmed(t, from, "status\":"+itoa(tt.status))
		})
	}
}

// checkProblem fails unless the answer is an RFC 9457 problem of that status.
func checkProblem(t *testing.T, resp *http.Response, body []byte, status int) {
	t.Helper()
	var problem struct {
		Status int    `json:"status"`
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	err := json.Unmarshal(body, &problem)
	if resp.StatusCode != status || err != nil || problem.Status != status || problem.Title == "" {
		t.Errorf("%s %s: %s %.200s; want a problem of status %d", resp.Request.Method, resp.Request.URL.Path, resp.Status, body, status)
	}
	if ct := resp.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/problem+json") {
		t.Errorf("%s %s: content type %q, want application/problem+json", resp.Request.Method, resp.Request.URL.Path, ct)
	}
	if strings.Contains(string(body), "CANARY") {
		t.Errorf("the problem repeats what was sent: %.200s", body)
	}
}
