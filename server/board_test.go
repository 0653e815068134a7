package server_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

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
