package server_test

import (
	"context"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/crdt/ysync"
)

// wire is a program's socket at the note, over Hocuspocus.
type wire struct {
	t    *testing.T
	ws   *websocket.Conn
	note string
}

// openWire signs in, and is in sync when it returns.
func (h *hospital) openWire(token string, header http.Header) *wire {
	h.t.Helper()
	ws, _, err := websocket.Dial(h.t.Context(), h.URL+"/ws", &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(-1)
	c := &wire{h.t, ws, h.note.String()}
	c.send(ysync.Message{Kind: ysync.Auth, Auth: ysync.Token, Text: token})
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{0}})
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: []byte{0, 0}})
	c.until(func(m ysync.Message) bool { return m.Kind == ysync.SyncStatus })
	return c
}

func (c *wire) send(m ysync.Message) {
	c.t.Helper()
	frame := ysync.AppendEnvelope(nil, ysync.Envelope{Key: c.note, Message: m})
	if err := c.ws.Write(c.t.Context(), websocket.MessageBinary, frame); err != nil {
		c.t.Fatal(err)
	}
}

// until reads until a message is as wanted, and returns that one, or the close code.
func (c *wire) until(wanted func(ysync.Message) bool) (ysync.Message, websocket.StatusCode) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	for {
		_, frame, err := c.ws.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				c.t.Fatal("nothing came for 20 seconds")
			}
			return ysync.Message{}, websocket.CloseStatus(err)
		}
		e, err := ysync.DecodeEnvelope(frame)
		if err != nil {
			c.t.Fatal(err)
		}
		if wanted(e.Message) {
			return e.Message, 0
		}
	}
}

// write sends one more character, the clock-th of client, and returns whether it was saved.
func (c *wire) write(client, clock byte) (saved bool, code websocket.StatusCode) {
	c.t.Helper()
	update := []byte{1, 1, client, clock, 4, 1, 1, 't', 1, 'x', 0}
	if clock > 0 {
		update = []byte{1, 1, client, clock, 0x84, client, clock - 1, 1, 'x', 0}
	}
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: update})
	m, code := c.until(func(m ysync.Message) bool { return m.Kind == ysync.SyncStatus })
	return m.Saved, code
}

// sql runs a statement as an operator could, and returns when it is committed.
func (h *hospital) sql(statement string, args ...any) {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(h.t.Context(), statement, args...); err != nil {
		h.t.Fatal(err)
	}
}

func isScope(m ysync.Message) bool { return m.Kind == ysync.Auth && m.Auth == ysync.Authenticated }

// TestChangedGrantsReachSockets within a second of their commit, whoever changes them (I9).
func TestChangedGrantsReachSockets(t *testing.T) {
	h := open(t)
	stays := h.signIn("chen")
	other := h.openWire(h.token("rivera"), nil)
	clock := byte(0)
	h.sql(`ALTER TABLE note DISABLE TRIGGER note_steps_as_signed`)
	for i, tt := range []struct {
		name, sql string
		code      websocket.StatusCode // 0: reads on
	}{
		{"another role, which reads", `UPDATE person SET role = 'privacy officer' WHERE username = 'chen'`, 0},
		{"another role, which does not", `UPDATE person SET role = 'administrator' WHERE username = 'chen'`, 4403},
		{"the note is signed", `UPDATE note SET state = 'signed' WHERE id = '` + h.note.String() + `'`, 0}, // by nobody, which takes a trigger away
		{"signed out elsewhere", `DELETE FROM login WHERE token = (SELECT token FROM login ORDER BY expires_at DESC LIMIT 1)`, 4401},
		{"suspended", `UPDATE person SET suspended = true WHERE username = 'chen'`, 4401}, // which ends all logins
	} {
		t.Run(tt.name, func(t *testing.T) {
			browser := h.signIn("chen")
			ws := h.openWireOf(browser)
			client := byte(10 + i)
			if saved, _ := ws.write(client, 0); !saved {
				t.Fatal("not saved before")
			}
			before := time.Now()
			h.sql(tt.sql)
			m, code := ws.until(isScope)
			if took := time.Since(before); took > time.Second {
				t.Errorf("took %v, want a second at most", took)
			}
			if code != tt.code || tt.code == 0 && m.Text != ysync.ReadOnly {
				t.Errorf("told %q, close code %d, want %d", m.Text, code, tt.code)
			}
			if tt.code == 0 {
				// What reaches a signed note is kept beside it, and answered.
				if saved, _ := ws.write(client, 1); saved != strings.Contains(tt.sql, "signed") {
					t.Errorf("a write afterwards: saved %v", saved)
				}
			}
			concernsAll := strings.HasPrefix(tt.sql, "UPDATE note")
			if concernsAll { // they may hear of it a little later, but before it is over
				other.until(func(m ysync.Message) bool { return isScope(m) && m.Text == ysync.ReadOnly })
			}
			h.sql(`UPDATE person SET role = 'attending', suspended = false WHERE username = 'chen'`)
			h.sql(`UPDATE note SET state = 'draft'`)
			if concernsAll {
				other.until(func(m ysync.Message) bool { return isScope(m) && m.Text == ysync.ReadWrite })
			}
			if saved, code := other.write(100, clock); !saved {
				t.Errorf("somebody else: not saved, close code %d", code)
			}
			clock++
			want := http.StatusOK
			if tt.name == "suspended" {
				want = http.StatusSeeOther
			}
			if status, _, _ := h.get(stays, "/"); status != want {
				t.Errorf("another login: %d, want %d", status, want)
			}
		})
	}
}

// TestTokensEndAtOnce: a program's too.
func TestTokensEndAtOnce(t *testing.T) {
	h := open(t)
	ws := h.openWire(h.token("chen"), nil)
	other := h.openWire(h.token("rivera"), nil)
	before := time.Now()
	h.sql(`UPDATE api_token SET expires_at = now() FROM person WHERE person.id = person_id AND username = 'chen'`)
	if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
		t.Errorf("close code %d after %v, want 4401 within a second", code, time.Since(before))
	}
	if saved, _ := other.write(1, 0); !saved {
		t.Error("somebody else: not saved")
	}
}

// TestUnheardChangesAreFound: a change that was made while the listener's connection was away reaches sockets when
// it is back; and while it is away, nothing is committed.
func TestUnheardChangesAreFound(t *testing.T) {
	h := open(t)
	chen, rivera := h.openWire(h.token("chen"), nil), h.openWire(h.token("rivera"), nil)
	database, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	operator := *database
	operator.Path = "/postgres"
	elsewhere := *h
	elsewhere.url = operator.String()
	name := database.Path[1:]
	keeper, err := pgx.Connect(t.Context(), h.url) // opened before the door is shut
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keeper.Close(context.Background()) }()

	if saved, _ := rivera.write(1, 0); !saved { // on a connection that stays
		t.Fatal("not saved")
	}
	elsewhere.sql(`ALTER DATABASE ` + name + ` ALLOW_CONNECTIONS false`)
	elsewhere.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'tidechart-access'`, name)
	if _, err := keeper.Exec(t.Context(), `UPDATE person SET role = 'privacy officer' WHERE username = 'chen'`); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(h.log.String(), "access is not watched") {
		runtime.Gosched()
	}
	h.hub.AccessSeen(time.Now().Add(-6 * time.Second)) // as it is six seconds later
	rows := func() (n int) {
		if err := keeper.QueryRow(t.Context(), `SELECT head FROM note WHERE id = $1`, h.note).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	saved := rows()
	rivera.send(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: []byte{1, 1, 1, 1, 0x84, 1, 0, 1, 'x', 0}})
	rivera.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: []byte{0}}) // is answered when the update has been looked at
	rivera.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step2, Data: []byte{0, 0}})
	rivera.until(func(m ysync.Message) bool { return m.Kind == ysync.Sync && m.Step == ysync.Step2 })
	if got := rows(); got != saved {
		t.Errorf("%d rows were committed, and nobody knew who may write", got-saved)
	}

	before := time.Now()
	elsewhere.sql(`ALTER DATABASE ` + name + ` ALLOW_CONNECTIONS true`)
	if m, code := chen.until(isScope); m.Text != ysync.ReadOnly {
		t.Errorf("told %q, close code %d", m.Text, code)
	}
	if took := time.Since(before); took > time.Second {
		t.Errorf("took %v, want a second at most", took)
	}
	if saved, _ := chen.write(7, 0); saved {
		t.Error("who may not write any more was saved")
	}
	if m, code := rivera.until(func(m ysync.Message) bool { return m.Kind == ysync.SyncStatus }); !m.Saved {
		t.Errorf("who may write was not saved in the end, close code %d", code)
	}
}
