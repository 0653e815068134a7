package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/sessions"
)

// flood asks n times at most, as fast as it goes, until it is refused, and returns that answer, or nil.
func (h *hospital) flood(n int64, ask func(i int) *http.Request) *http.Response {
	h.t.Helper()
	var next atomic.Int64
	var refused atomic.Pointer[http.Response]
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); i <= n && refused.Load() == nil; i = next.Add(1) {
				r, err := http.DefaultTransport.RoundTrip(ask(int(i)))
				if err != nil {
					h.t.Error(err)
					return
				}
				var body []byte
				if r.Header.Get("Content-Type") != "text/event-stream" { // that one passed, and has no end
					if body, err = io.ReadAll(r.Body); err != nil {
						h.t.Error(err)
					}
				}
				_ = r.Body.Close()
				if r.Body = io.NopCloser(bytes.NewReader(body)); r.StatusCode == http.StatusTooManyRequests {
					refused.Store(r)
				}
			}
		})
	}
	all.Wait()
	return refused.Load()
}

func (h *hospital) request(method, path, token string) *http.Request {
	r, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// TestRequestRate: one person's requests are limited whatever they ask for and whatever they prove who they are with;
// nobody else notices.
func TestRequestRate(t *testing.T) {
	h := open(t)
	note := "/api/v1/notes/" + h.note.String()
	tokens := []string{h.token("chen"), h.token("chen")}
	paths := []string{note, note + "/state", note + "/authors", note + "/losses", "/api/v1/notes", "/api/v1/schema", "/units/4-west"}
	refused := h.flood(1500, func(i int) *http.Request {
		r := h.request("GET", paths[i%len(paths)], tokens[0])
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i%250))
		return r
	})
	if refused == nil {
		t.Fatal("1500 requests of one person passed")
	}
	refused = h.flood(150, func(int) *http.Request { return h.request("GET", note, tokens[1]) }) // fewer than a burst
	if refused == nil {
		t.Fatal("another token of the same person has another allowance")
	}
	var problem struct {
		Status        int
		Title, Detail string
	}
	err := json.NewDecoder(refused.Body).Decode(&problem)
	if err != nil || problem.Status != 429 || problem.Title == "" || problem.Detail == "" ||
		refused.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s, %+v, %v", refused.Header.Get("Content-Type"), problem, err)
	}
	if after, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || after < 1 || after > 4 {
		t.Errorf("Retry-After: %q", refused.Header.Get("Retry-After"))
	}
	if status, _, _ := h.api("GET", note, h.token("rivera"), "", nil); status != 200 {
		t.Errorf("somebody else at the same address: %d", status)
	}
	if n := strings.Count(h.log.String(), "status=429"); n == 0 || n > 20 {
		t.Errorf("the log tells %d times of one flood", n)
	}
}

// TestPagesHaveTheRate of their person, too.
func TestPagesHaveTheRate(t *testing.T) {
	h := open(t)
	token := h.token("chen")
	if h.flood(1500, func(int) *http.Request { return h.request("GET", "/api/v1/schema", token) }) == nil {
		t.Fatal("1500 requests passed")
	}
	refused := h.flood(1500, func(int) *http.Request { return h.request("GET", "/units/4-west/events?", token) })
	if refused == nil || refused.Header.Get("Retry-After") == "" || !strings.HasPrefix(refused.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the board's stream: %+v", refused)
	}
}

// TestStrangersAreLimited by the address they come from; no header gives them another, and people at that address do
// not share its count.
func TestStrangersAreLimited(t *testing.T) {
	h := open(t)
	token := h.token("chen")
	refused := h.flood(1500, func(i int) *http.Request {
		r := h.request("GET", "/api/v1/notes", "tide_guess"+strconv.Itoa(i))
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip"} {
			r.Header.Set(name, fmt.Sprintf("198.51.%d.%d", i/250, i%250))
		}
		return r
	})
	if refused == nil || refused.Header.Get("Retry-After") == "" || refused.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("1500 guesses: %+v", refused)
	}
	if status, _, _ := h.api("GET", "/api/v1/notes", token, "", nil); status != 200 {
		t.Errorf("a person at the same address: %d", status)
	}
}

// TestWrongSocketsAreLimited: who opens sockets with what proves nothing is turned away as one who asks so is, whatever they write
// of where they are; who is known there gets in.
func TestWrongSocketsAreLimited(t *testing.T) {
	h := behindProxy(t)
	dial := func(address string, i int, header http.Header) *http.Response {
		header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d, %s", i/250, i%250, address))
		ws, r, err := websocket.Dial(t.Context(), h.URL+"/ws/notes/"+h.note.String(), &websocket.DialOptions{HTTPHeader: header})
		if r == nil {
			t.Error(err)
			return &http.Response{}
		}
		for err == nil && header.Get("Authorization") == "" { // until they are told that it is wrong
			_, _, err = ws.Read(t.Context())
		}
		if ws != nil {
			_ = ws.CloseNow()
		}
		return r
	}
	var next, refused atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); i <= 1500 && refused.Load() == 0; i = next.Add(1) {
				if r := dial("203.0.113.9", int(i), http.Header{}); r.StatusCode == http.StatusTooManyRequests && r.Header.Get("Retry-After") != "" {
					refused.Store(i)
				}
			}
		})
	}
	all.Wait()
	if refused.Load() == 0 {
		t.Fatal("1500 sockets of nobody")
	}
	for address, header := range map[string]http.Header{"203.0.113.9": bearer(h.token("chen")), "203.0.113.10": {}} {
		if r := dial(address, 0, header); r.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("a person there, and nobody from elsewhere: from %s: %s", address, r.Status)
		}
	}
}

// TestEditBytesAreLimited: one update of any size passes, and then no more than a line may bring.
func TestEditBytesAreLimited(t *testing.T) {
	h := open(t)
	path := "/api/v1/notes/" + h.note.String() + "/edits"
	huge := make([]byte, sessions.MaxFrame-1)
	if status, _, _ := h.api("POST", path, h.token("chen"), "", huge); status != 422 { // zeros are no update
		t.Fatalf("the first megabyte: %d", status)
	}
	status, _, header := h.api("POST", path, h.token("chen"), "", huge)
	if after, err := strconv.Atoi(header.Get("Retry-After")); status != 429 || err != nil || after < 3 || after > 4 {
		t.Errorf("the second: %d, Retry-After %q", status, header.Get("Retry-After"))
	}
	if status, _, _ := h.api("POST", path, h.token("rivera"), "", huge); status != 422 {
		t.Errorf("somebody else's: %d", status)
	}
}

// TestLimitsAreDescribed: each operation says what it answers to too many requests.
func TestLimitsAreDescribed(t *testing.T) {
	h := open(t)
	_, body, _ := h.api("GET", "/api/v1/openapi.json", "", "", nil)
	var spec struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Description string
				Headers     map[string]any
				Content     map[string]any
			}
		}
	}
	if err := json.Unmarshal(body, &spec); err != nil || len(spec.Paths) == 0 {
		t.Fatal(err)
	}
	for path, methods := range spec.Paths {
		for method, op := range methods {
			many := op.Responses["429"]
			if many.Headers["Retry-After"] == nil || many.Content["application/problem+json"] == nil || !strings.Contains(many.Description, "50 a second") {
				t.Errorf("%s %s does not describe 429: %+v", method, path, many)
			}
		}
	}
}

// behindProxy opens a server that believes what this machine says of where requests come from.
func behindProxy(t *testing.T, but ...func(*server.Config)) *hospital {
	t.Helper()
	return open(t, append(but, func(config *server.Config) {
		config.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})...)
}

// from is a request that a proxy passes on for somebody, who has added an address of their own invention.
func (h *hospital) from(address string, i int, method, path string, form url.Values) *http.Request {
	r := h.request(method, path, "")
	if form != nil {
		body := form.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d, %s", i/250, i%250, address))
	return r
}

// TestOpenPagesAreLimited by network, for whoever is not known; behind a proxy, by what the proxy says.
func TestOpenPagesAreLimited(t *testing.T) {
	for name, h := range map[string]*hospital{"behind a proxy": behindProxy(t), "in front": open(t)} {
		for _, page := range []string{"GET /login", "POST /login", "GET /enrol", "GET /nowhere", "GET /", "GET /units/4-west", "POST /csp-report", "POST /login/input", "GET /login/left", "GET /security", "POST /passkeys/sign-in/ask", "POST /logout", "GET /api/docs"} {
			method, path, _ := strings.Cut(page, " ")
			attacker := "2001:db8::" + strconv.Itoa(len(path)) // of one household
			if refused := h.flood(1500, func(i int) *http.Request { return h.from(attacker, i, method, path, nil) }); refused == nil || refused.Header.Get("Retry-After") == "" {
				t.Errorf("%s, %s: 1500 requests: %+v", name, page, refused)
			}
			if name == "in front" {
				continue
			}
			r, err := http.DefaultTransport.RoundTrip(h.from("203.0.113.9", 0, "GET", "/login", nil))
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Body.Close()
			if r.StatusCode != http.StatusOK {
				t.Errorf("%s: somebody else is told %s", page, r.Status)
			}
		}
	}
}

// TestSprayingIsSlow: one network cannot try a password with every name, nor codes without end, whatever it writes of
// where it is; others, and browsers that their owners have used before, sign in.
func TestSprayingIsSlow(t *testing.T) {
	h := behindProxy(t)
	hers := h.signIn("chen")
	guess := func(i int) *http.Request {
		return h.from("203.0.113.9", i, "POST", "/login", url.Values{"username": {"name" + strconv.Itoa(i)}, "password": {"correct horse battery"}})
	}
	refused := h.flood(180, guess)
	if refused == nil || refused.Header.Get("Retry-After") == "" {
		t.Fatalf("180 names: %+v", refused)
	}
	refused = h.flood(5, func(i int) *http.Request {
		return h.from("203.0.113.9", i, "POST", "/enrol", url.Values{"code": {"0000-0000-0000-0000"}, "password": {"a"}, "repeat": {"a"}})
	})
	if refused == nil || refused.Header.Get("Retry-After") == "" {
		t.Errorf("codes from there: %+v", refused)
	}
	right := url.Values{"username": {"rivera"}, "password": {demo.Password}}
	for address, want := range map[string]int{"203.0.113.9": http.StatusTooManyRequests, "203.0.113.10": http.StatusSeeOther} {
		r, err := http.DefaultTransport.RoundTrip(h.from(address, 0, "POST", "/login", right))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("a colleague from %s: %s, want %d", address, r.Status, want)
		}
	}
	again := h.from("203.0.113.9", 0, "POST", "/login", url.Values{"username": {"chen"}, "password": {demo.Password}})
	again.RequestURI = ""
	r, err := hers.Do(again)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("her browser, from there: %s", r.Status)
	}
}
