package server_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/demo"
)

// TestEndedLoginsCloseWhatIsOpen: however a login ends, its sockets and its board do so within a second, though what its person
// may do, and the counter of that, stay as they were; what is open under another login of theirs goes on, and is saved.
func TestEndedLoginsCloseWhatIsOpen(t *testing.T) {
	h := open(t)
	for name, end := range map[string]func(ends, stays *http.Client){
		"signed out": func(ends, _ *http.Client) { h.post(ends, "/logout", nil) },
		"its page says that nobody is there": func(ends, _ *http.Client) {
			h.post(ends, "/logout", url.Values{"unused": {"1"}, "person": {h.id("chen").String()}})
		},
		"ended by its owner, elsewhere": func(_, stays *http.Client) { h.post(stays, "/security/logins/end-others", nil) },
		"a sign-in in the same browser": func(ends, _ *http.Client) { h.try(ends, "rivera", demo.Password) },
		"another password":              func(_, stays *http.Client) { h.changePassword(stays, sentence, sentence) },
		"ended by an operator":          func(ends, _ *http.Client) { h.sql(`DELETE FROM login WHERE id = $1`, h.loginID(ends)) },
		"shortened": func(ends, _ *http.Client) {
			h.sql(`UPDATE login SET expires_at = now() WHERE id = $1`, h.loginID(ends))
		},
		"nobody uses it": func(ends, _ *http.Client) {
			h.sql(`UPDATE login SET input_at = now() - interval '16 minutes' WHERE id = $1`, h.loginID(ends))
			h.get(ends, "/") // which notices
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.t = t
			h.sql(`UPDATE person SET password_hash = (SELECT password_hash FROM person WHERE username = 'rivera') WHERE username = 'chen'`)
			ends, stays := h.signIn("chen"), h.signIn("chen")
			gone, board, here := h.openWireOf(ends), h.watch(ends), h.openWireOf(stays)
			<-board
			epoch, before := h.count(`SELECT access_epoch FROM person WHERE username = 'chen'`), time.Now()
			end(ends, stays)
			if _, code := gone.until(isScope); code != 4401 || time.Since(before) > time.Second {
				t.Errorf("the socket: close code %d after %v, want 4401 within a second", code, time.Since(before))
			}
			for deadline := time.After(time.Second - time.Since(before)); board != nil; {
				select {
				case _, more := <-board:
					if !more {
						board = nil
					}
				case <-deadline:
					t.Fatal("the board goes on")
				}
			}
			if now := h.count(`SELECT access_epoch FROM person WHERE username = 'chen'`); now != epoch {
				t.Errorf("the counter moves from %d to %d", epoch, now)
			}
			client := byte(20 + h.count(`SELECT count(*) FROM writer WHERE note_id = $1`, h.note))
			if saved, code := here.write(client, 0); !saved {
				t.Errorf("the other login: not saved, close code %d", code)
			}
		})
	}
}

// loginID returns that of the login that a browser has.
func (h *hospital) loginID(c *http.Client) (id string) {
	h.t.Helper()
	query := `SELECT id::text FROM login WHERE token = rtrim(translate(encode(sha256($1), 'base64'), '+/', '-_'), '=')`
	if err := h.connect().QueryRow(h.t.Context(), query, []byte(loginOf(c, h.at()).Value)).Scan(&id); err != nil {
		h.t.Fatal(err)
	}
	return id
}
