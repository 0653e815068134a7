package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/store"
)

// TestIdleConnectionsAreSmall: most people who have a note open do nothing. Each of them takes 15 kB at most, in the
// heap and as stacks, the other end of the connection included.
func TestIdleConnectionsAreSmall(t *testing.T) {
	if needs.Raced {
		t.Skip("measures memory; make test does, without the race detector")
	}
	const perPerson, notes, most = 8, 20, 13_000
	h := open(t)
	people := []string{h.token("chen"), h.token("rivera"), h.token("okafor")}
	opened := h.opened(notes)
	before := 0
	for i := range perPerson { // the first one of each note has its session to carry
		for _, token := range people {
			for _, note := range opened {
				h.idle(note, token)
			}
		}
		if i == 0 {
			before = used()
		}
	}
	more := (perPerson - 1) * len(people) * notes
	if each := (used() - before) / more; each > most || each < 1000 {
		t.Errorf("an idle connection takes %d bytes, want %d at most", each, most)
	} else {
		t.Logf("an idle connection takes %d bytes", each)
	}
}

// opened begins n notes.
func (h *hospital) opened(n int) []uuid.UUID {
	h.t.Helper()
	row, err := h.db.NoteByID(h.t.Context(), h.note)
	if err != nil {
		h.t.Fatal(err)
	}
	ids := make([]uuid.UUID, n)
	for i := range ids {
		ids[i] = uuid.New()
		if err := h.db.CreateNote(h.t.Context(), store.NewNote{
			ID: ids[i], Patient: row.Note.PatientID, Unit: row.Note.UnitID, Kind: row.Note.Kind, Title: row.Note.Title,
			Author: row.Note.CreatedBy, At: time.Now(), First: []byte{0, 0},
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	return ids
}

// idle opens a note over a socket, waits for it, and leaves it at that.
func (h *hospital) idle(note uuid.UUID, token string) {
	h.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	_, _ = fmt.Fprintf(c, "GET /ws/notes/%s HTTP/1.1\r\nAuthorization: Bearer %s\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", note, token, c.RemoteAddr()) // the answer tells
	r := bufio.NewReader(c)
	for line := ""; line != "\r\n"; {
		if line, err = r.ReadString('\n'); err != nil {
			h.t.Fatal(err)
		}
	}
	if _, err := c.Write([]byte{0x82, 0x84, 0, 0, 0, 0, 0, 0, 1, 0}); err != nil { // Step1: it has nothing
		h.t.Fatal(err)
	}
	for step := byte(0); step != 1; { // a Step2 is among the frames that come
		frame := make([]byte, 2)
		if _, err := io.ReadFull(r, frame); err != nil {
			h.t.Fatal(err)
		}
		payload := make([]byte, frame[1])
		if _, err := io.ReadFull(r, payload); err != nil {
			h.t.Fatal(err)
		}
		if payload[0] == 0 {
			step = payload[1]
		}
	}
}

// used returns how many bytes the heap and the stacks take.
func used() int {
	for range 8 { // each time stacks shrink by half
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
