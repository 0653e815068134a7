package sessions_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
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

// crowd connects n people to the note.
func (w *ward) crowd(n int) []*client {
	var all []*client
	for i := range n {
		who := chen
		who.ID[0], who.Name = byte(i+1), fmt.Sprintf("Person %d", i)
		all = append(all, w.yClient(write(who)))
	}
	return all
}

// at is a state whose caret stands after a clock.
func at(clock int) string {
	position := fmt.Sprintf(`{"type":null,"tname":"default","item":{"client":9,"clock":%d},"assoc":0}`, clock)
	return `{"cursor":{"anchor":` + position + `,"head":` + position + `}}`
}

// frames are the awareness messages received that hold anybody.
func (c *client) frames() []ysync.Message {
	var all []ysync.Message
	for _, m := range c.messages() {
		if m.Kind == ysync.Awareness && len(m.Data) > 1 {
			all = append(all, m)
		}
	}
	return all
}

// TestPresenceIsCoalesced: however many move, everybody is sent 20 frames a second at most, and sees where each of
// them came to rest.
func TestPresenceIsCoalesced(t *testing.T) {
	inWard(t, func(w *ward) {
		watcher := w.hClient(read(rivera))
		people := w.crowd(20)
		before := len(watcher.frames())
		echoes := len(people[0].frames())
		const moves, pause = 100, time.Millisecond // two seconds, somebody every millisecond
		for i := range moves {
			for j, p := range people {
				p.send(announce(crdt.ClientID(j+20), uint64(i+1), at(i)))
				time.Sleep(pause)
			}
		}
		shown := watcher.people()
		if len(shown) != len(people) {
			t.Errorf("%d people are shown, want %d", len(shown), len(people))
		}
		time.Sleep(time.Second)
		for _, state := range watcher.people() {
			if !strings.Contains(state, fmt.Sprintf(`"clock":%d}`, moves-1)) {
				t.Errorf("shown at last: %s", state)
			}
		}
		if got := len(watcher.frames()) - before; got < 20 || got > 43 {
			t.Errorf("%d frames within two seconds, want some 40 at most", got)
		}
		if got := len(people[0].frames()) - echoes; got < 40 || got > 43+23 {
			t.Errorf("a moving peer was sent %d frames, want some 40, and its own ten times a second", got)
		}
		for _, m := range people[0].frames() {
			if strings.Contains(string(m.Data), "Person 0") {
				t.Error("a peer was sent its own state, stamped: it would take it for its own")
				break
			}
		}
	})
}

// TestWhatIsSaidAgainIsNotShownAgain: an editor that says where it is with each edit of somebody else's costs nobody anything; and nobody
// forgets who sits still, which editors do after 30 seconds.
func TestWhatIsSaidAgainIsNotShownAgain(t *testing.T) {
	inWard(t, func(w *ward) {
		watcher, still := w.hClient(read(rivera)), w.hClient(write(chen))
		still.send(announce(20, 1, at(1)))
		time.Sleep(time.Second)
		before := len(watcher.frames())
		const seconds, each = 60, 4
		for i := range seconds * each {
			still.send(announce(20, uint64(i+2), at(1)))
			time.Sleep(time.Second / each)
		}
		synctest.Wait()
		if got := len(watcher.frames()) - before; got < seconds/15 || got > seconds/10+1 {
			t.Errorf("shown %d times in %d seconds, want every ten seconds or so", got, seconds)
		}
		still.send(announce(20, 1000, at(2)))
		if got := strings.Join(watcher.people(), ""); !strings.Contains(got, `"clock":2}`) {
			t.Errorf("shown after it has moved: %s", got)
		}
		still.leave()
		back := w.hClient(write(chen))
		back.send(announce(20, 1000, at(2)))
		if got := len(watcher.people()); got != 1 {
			t.Errorf("%d people are shown after one is back where they were, want 1", got)
		}
	})
}

// TestLoneChangeIsShownAtOnce: nothing waits for a beat that has nothing else to carry.
func TestLoneChangeIsShownAtOnce(t *testing.T) {
	inWard(t, func(w *ward) {
		watcher, people := w.yClient(read(rivera)), w.crowd(3)
		for i, p := range people {
			time.Sleep(time.Second)
			p.send(announce(crdt.ClientID(i+20), 1, `{}`))
			if got := len(watcher.peopleNow()); got != i+1 {
				t.Errorf("%d people are shown at once, want %d", got, i+1)
			}
		}
		time.Sleep(time.Second)
		people[0].send(announce(20, 2, `null`))
		if got := len(watcher.peopleNow()); got != 2 {
			t.Errorf("%d people are shown after one said goodbye, want 2", got)
		}
		time.Sleep(time.Second)
		people[1].leave()
		if got := len(watcher.peopleNow()); got != 1 {
			t.Errorf("%d people are shown after one has left, want 1", got)
		}
	})
}

// TestCaretComesWithItsEdit: where somebody is in what they have just written is shown together with it, by one write to
// each; should the log be slow, it does not wait for that.
func TestCaretComesWithItsEdit(t *testing.T) {
	for _, tt := range []struct {
		commit time.Duration
		waits  bool
	}{{20 * time.Millisecond, true}, {time.Second, false}} {
		t.Run(tt.commit.String(), func(t *testing.T) {
			inWard(t, func(w *ward) {
				w.store.Fault = func(before bool) error {
					if before {
						time.Sleep(tt.commit)
					}
					return nil
				}
				watcher, writer := w.hClient(read(rivera)), w.hClient(write(chen))
				writer.send(announce(7, 1, `{}`))
				time.Sleep(time.Second)
				before := [2]int{len(watcher.messages()), len(writer.messages())}
				writes := len(watcher.pipe.groups)
				writer.update(insert(7, 0, "a"))
				writer.send(announce(7, 2, at(1)))
				time.Sleep(60 * time.Millisecond)
				synctest.Wait()
				if got := len(watcher.messages()) > before[0]; !got {
					t.Fatal("nothing is shown within a beat")
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				edit, caret := -1, -1
				for i, m := range watcher.messages()[before[0]:] {
					switch {
					case m.Kind == ysync.Sync && m.Step != ysync.Step1:
						edit = i
					case m.Kind == ysync.Awareness && caret < 0:
						caret = i
					}
				}
				if edit < 0 || caret < 0 || (edit < caret) != tt.waits {
					t.Errorf("the edit is message %d, the caret is message %d", edit, caret)
				}
				if got := watcher.pipe.groups[writes:]; tt.waits && got[0] != 2 {
					t.Errorf("messages by each write: %d, want both by the first", got)
				}
				echoed := 0
				for _, m := range writer.messages()[before[1]:] {
					if m.Kind == ysync.Awareness {
						echoed++
					}
				}
				if echoed != 1 {
					t.Errorf("the writer hears of the caret %d times, want once", echoed)
				}
			})
		})
	}
}

// TestEverybodyLeavesInOneFrame: those who go together are gone within a beat.
func TestEverybodyLeavesInOneFrame(t *testing.T) {
	inWard(t, func(w *ward) {
		watcher, people := w.yClient(read(rivera)), w.crowd(30)
		for i, p := range people {
			p.send(announce(crdt.ClientID(i+20), 1, `{}`))
		}
		if got := len(watcher.people()); got != 30 {
			t.Fatalf("%d people are shown, want 30", got)
		}
		time.Sleep(time.Second)
		before := len(watcher.frames())
		for _, p := range people {
			p.send(announce(0, 0, `null`)) // what is said of another is dropped
			p.leave()
		}
		if got := len(watcher.people()); got != 0 {
			t.Errorf("%d people are shown after all have left", got)
		}
		if got := len(watcher.frames()) - before; got > 2 {
			t.Errorf("%d frames, want the first goodbye and the others", got)
		}
		if got := w.hub.Present()[note]; len(got) != 1 || got[0] != (sessions.Presence{Author: rivera}) {
			t.Errorf("present: %+v", got)
		}
	})
}

// TestShownClientsAreKept: whoever shows themselves tells all others their client id before they have written under
// it. Nobody else may, while they are there or after they have left (I3).
func TestShownClientsAreKept(t *testing.T) {
	inWard(t, func(w *ward) {
		owner, thief := w.hClient(write(chen)), w.hClient(write(rivera))
		owner.send(announce(1, 1, `{}`))
		for _, there := range []bool{true, false} {
			if !there {
				owner.leave()
			}
			before := len(thief.answers())
			thief.update(insert(1, 0, "stolen"))
			if got := thief.answers()[before:]; got != "0" || thief.closeCode() != 4205 {
				t.Errorf("owner there: %v; answers %q, want a refusal and 4205", there, got)
			}
			thief = w.hClient(write(rivera))
			thief.send(announce(1, 9, `{}`))
			if got := strings.Join(w.yClient(read(rivera)).people(), ""); strings.Contains(got, rivera.Name) {
				t.Errorf("owner there: %v; shown as another: %s", there, got)
			}
		}
		owner = w.hClient(write(chen))
		before := len(owner.answers())
		owner.update(insert(1, 0, "own"))
		if got := owner.answers()[before:]; got != "1" {
			t.Errorf("the owner's first words got %q", got)
		}
	})
}

// TestShownClientsOutliveTheirSession: a window that is offline is not there to keep its client id; everybody else may
// be gone, too, and the server may have been restarted.
func TestShownClientsOutliveTheirSession(t *testing.T) {
	inWard(t, func(w *ward) {
		owner := w.hClient(write(chen))
		owner.send(announce(1, 1, `{}`))
		reader := w.hClient(read(rivera))
		reader.send(announce(2, 1, `{}`))
		owner.leave()
		reader.leave()
		time.Sleep(time.Minute)
		if s := w.store.Sittings(); len(s) != 1 || !s[0].Ended {
			t.Fatalf("the session has not ended: %+v", s)
		}
		thief := w.hClient(write(rivera))
		thief.update(insert(1, 0, "stolen"))
		if got := thief.answers(); got != "10" || thief.closeCode() != 4205 {
			t.Errorf("somebody else's answers: %q", got)
		}
		thief = w.hClient(write(chen))
		thief.update(insert(2, 0, "free")) // who may not write keeps no id for it
		if got := thief.answers(); got != "11" {
			t.Errorf("under a reader's id: %q", got)
		}
		owner = w.hClient(write(chen))
		owner.step2(insert(1, 0, "own"))
		if got := owner.answers(); got != "11" {
			t.Errorf("the owner's first words got %q", got)
		}
	})
}

// TestReservedClientsAreBounded: what is remembered of people who left makes room for others (I10).
func TestReservedClientsAreBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		owner := w.hClient(write(chen))
		owner.send(announce(1, 1, `{}`))
		const more = 4096 // one more than fit
		for i := range more {
			c := w.hClient(write(chen))
			c.send(announce(crdt.ClientID(1000+i), 1, `{}`))
			c.leave()
		}
		for client, want := range map[byte]string{1: "0", 100: "1"} {
			thief := w.hClient(write(rivera))
			before := len(thief.answers())
			thief.update(insert(client, 0, "x"))
			if got := thief.answers()[before:]; got != want {
				t.Errorf("client %d: answers %q, want %q", client, got, want)
			}
		}
		if got, err := w.hub.Reserved(w.t.Context(), note); got == 0 || got > 100 || err != nil {
			t.Errorf("%d clients are remembered, %v; want those who are there", got, err)
		}
	})
}
