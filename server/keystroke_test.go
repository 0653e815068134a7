package server_test

import (
	"testing"
	"time"
)

// TestKeystrokesAskNothing: what decides whether somebody may write is in memory. Their keystrokes are committed while every
// table that a decision rests on is locked, to a program that showed a token as to a page that showed a ticket.
func TestKeystrokesAskNothing(t *testing.T) {
	h := open(t)
	program, page := h.openWire(h.token("rivera"), nil), h.openWireOf(h.signIn("chen"))
	conn := h.connect()
	locked, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locked.Exec(t.Context(), `LOCK TABLE login, api_token, ticket, unit, bed, stay, patient, cover, care_team, glass, opening IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for clock := range byte(20) {
		for name, ws := range map[string]*wire{"program": program, "page": page} {
			client := byte(10)
			if ws == page {
				client = 20
			}
			if saved, code := ws.write(client, clock); !saved {
				t.Fatalf("keystroke %d of the %s is not saved: %d", clock, name, code)
			}
		}
	}
	if took := time.Since(began); took > 5*time.Second { // less than the time that a look-up waits
		t.Errorf("40 keystrokes took %v", took)
	}
	if err := locked.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
}
