package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
