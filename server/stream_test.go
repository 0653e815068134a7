package server_test

import (
	"net/http"
	"testing"
	"time"
)

// TestEventStreamsAreLimited: of one person to twenty, whichever pages they are of. One that ends makes room.
func TestEventStreamsAreLimited(t *testing.T) {
	h := open(t)
	c := h.signIn("haddad")
	ask := func(c *http.Client, path string) *http.Response {
		t.Helper()
		r, err := c.Get(h.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Body.Close() })
		return r
	}
	var last *http.Response
	for i := range 20 {
		if last = ask(c, []string{"/units/4-west/events", "/events"}[i%2]); last.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: %d", i+1, last.StatusCode)
		}
	}
	if r := ask(c, "/events"); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "30" {
		t.Errorf("one more: %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	if r := ask(h.signIn("lindqvist"), "/events"); r.StatusCode != http.StatusOK {
		t.Errorf("somebody else's: %d", r.StatusCode)
	}
	_ = last.Body.Close()
	deadline := time.After(10 * time.Second)
	for ask(c, "/events").StatusCode != http.StatusOK {
		select {
		case <-deadline:
			t.Fatal("there is no room though one has ended")
		default: // the server has not noticed yet
		}
	}
}
