package server_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// watch returns the events of a unit's board as they come, until the stream ends.
func (h *hospital) watch(c *http.Client) <-chan string { return h.events(c, "/units/4-west/events") }

// events returns those of any page.
func (h *hospital) events(c *http.Client, path string) <-chan string {
	h.t.Helper()
	r, err := c.Get(h.URL + path)
	if err != nil || r.StatusCode != http.StatusOK {
		h.t.Fatal(path, r, err)
	}
	h.t.Cleanup(func() { _ = r.Body.Close() })
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
	return events
}

// TestBoardChangesByItself: who watches a unit sees who writes, without asking again.
func TestBoardChangesByItself(t *testing.T) {
	h := open(t)
	events := h.watch(h.signIn("haddad"))
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

	ws := h.dialNote(h.note.String(), h.token("rivera"))
	await("writer", func(e string) bool {
		return strings.Contains(e, "Rosa Rivera") && strings.Count(e, `hx-target="#bed-`) == 1
	})
	_ = ws.Close(websocket.StatusNormalClosure, "")
	await("leave", func(e string) bool { return strings.Contains(e, "<hx-partial") && !strings.Contains(e, "Rosa Rivera") })

	h.edge.Drain()
	for range events { // ends when the stream does
	}
}

// TestBoardEndsWithAccess: who signs out, or is suspended, is shown nothing more, though the page stays open: the stream ends
// within a second (I9).
func TestBoardEndsWithAccess(t *testing.T) {
	for name, end := range map[string]func(*hospital, *http.Client){
		"signed out": func(h *hospital, c *http.Client) {
			r, err := c.PostForm(h.URL+"/logout", nil)
			if err != nil {
				h.t.Fatal(err)
			}
			_ = r.Body.Close()
		},
		"suspended": func(h *hospital, _ *http.Client) {
			h.sql("UPDATE person SET suspended = true WHERE username = 'haddad'")
		},
		"another role": func(h *hospital, _ *http.Client) {
			h.sql("UPDATE person SET role = 'administrator' WHERE username = 'haddad'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			c := h.signIn("haddad")
			events := h.watch(c)
			if first := <-events; !strings.Contains(first, "<hx-partial") {
				t.Fatalf("the stream begins with %q", first)
			}
			ended := time.Now()
			end(h, c) // and nothing else happens that could wake it
			for deadline := time.After(time.Second - time.Since(ended)); ; {
				select {
				case event, more := <-events:
					if !more {
						return
					}
					if strings.Contains(event, "<hx-partial") {
						t.Error("the board goes on")
					}
				case <-deadline:
					t.Fatal("the stream does not end within a second")
				}
			}
		})
	}
}
