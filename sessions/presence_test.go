package sessions_test

import (
	"strings"
	"testing"
)

// here is a relative position as Yjs writes it.
const here = `{"type":null,"tname":"default","item":{"client":9,"clock":3},"assoc":0}`

// TestPresence: who somebody is comes from their login, for one client, until they leave.
func TestPresence(t *testing.T) {
	inWard(t, func(w *ward) {
		a, b := w.yClient(write(chen)), w.hClient(write(rivera))
		a.send(announce(1, 1, `{"user":{"name":"Somebody Else","color":"red"},"cursor":{"anchor":`+here+`,"head":`+here+`},"extra":true}`))
		b.send(announce(2, 1, `{"user":{"name":"Rosa"},"cursor":{"x":1}}`))
		wantA := `{"user":{"id":"` + chen.ID.String() + `","name":"Dr Mei Chen","role":"attending","color":"` + chen.Color + `","colorIndex":1},"cursor":{"anchor":` + here + `,"head":` + here + `}}`
		if got := b.people(); len(got) < 1 || got[0] != wantA {
			t.Errorf("shown: %q\nwant   %q", got, wantA)
		}
		if got := a.people(); !strings.Contains(strings.Join(got, ""), `Rivera RN","role":"nurse","color":"`+rivera.Color+`","colorIndex":2},"cursor":null`) {
			t.Errorf("a cursor that is none is shown: %q", got)
		}
		a.send(announce(2, 9, `{"user":{"name":"impostor"}}`)) // another's client
		a.send(announce(2, 9, `null`))
		a.send(announce(3, 1, `{}`)) // a second client of its own
		late := w.yClient(read(chen))
		if got := late.people(); len(got) != 2 || strings.Contains(strings.Join(got, ""), "impostor") {
			t.Errorf("shown to who comes late: %q", got)
		}
		a.leave()
		if got := late.people(); len(got) != 1 || !strings.Contains(got[0], rivera.Name) {
			t.Errorf("shown after one has left: %q", got)
		}
		back := w.yClient(write(chen))
		back.send(announce(1, 1, `{}`)) // with the clock it had
		if got := late.people(); len(got) != 2 {
			t.Errorf("shown after one is back: %q", got)
		}
		if now := w.hub.Present()[note]; len(now) != 2 || now[0].Author != chen || !now[0].CanWrite {
			t.Errorf("present: %+v", now)
		}
	})
}
