package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/login"
)

// program returns a token of the service account lab, which works on 4 West and covers the ICU.
func (h *hospital) program(scopes access.Scopes, unit string) string {
	h.t.Helper()
	if h.count(`SELECT count(*) FROM person WHERE username = 'lab'`) == 0 {
		h.hire("lab", "service account", "4-west", "")
		if err := login.CoverUnit(h.t.Context(), h.db, "lab", "icu", time.Now().Add(time.Hour)); err != nil {
			h.t.Fatal(err)
		}
	}
	token, err := login.IssueToken(h.t.Context(), h.db, login.NewToken{Username: "lab", Scopes: scopes.Names(), Unit: unit, Label: "Results"})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// begin begins a note as a program does.
func (h *hospital) begin(token string, patient uuid.UUID) (status int, note uuid.UUID) {
	h.t.Helper()
	body := fmt.Sprintf(`{"patient":%q,"kind":"progress"}`, patient)
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", h.URL+"/api/v1/notes", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	var made struct{ ID uuid.UUID }
	if r.StatusCode == http.StatusCreated {
		if err := json.NewDecoder(r.Body).Decode(&made); err != nil {
			h.t.Fatal(err)
		}
	}
	return r.StatusCode, made.ID
}

// TestScopesOfTokens: a program does what its token is for, on the unit that it is for, and nothing else.
func TestScopesOfTokens(t *testing.T) {
	h := open(t).work()
	note := "/api/v1/notes/" + h.note.String()
	row, err := h.db.NoteByID(t.Context(), h.note)
	if err != nil {
		t.Fatal(err)
	}
	update := []byte{1, 1, 77, 0, 4, 1, 1, 't', 1, 'x', 0}
	for _, tt := range []struct {
		name        string
		token       string
		read, begun int
		edit        int // of a note that the program began
		follow      int
	}{
		{"reads", h.program(access.ReadNotes, "4-west"), 200, 403, 403, 403},
		{"writes", h.program(access.WriteNotes, "4-west"), 200, 201, 200, 403},
		{"reads another unit", h.program(access.ReadNotes, "icu"), 403, 403, 403, 403},
		{"writes another unit", h.program(access.WriteNotes, "icu"), 403, 403, 403, 403},
		{"writes where it does not work", h.program(access.WriteNotes, "5-east"), 403, 403, 403, 403},
		{"follows", h.program(access.ReadAccesses, ""), 403, 403, 403, 200},
	} {
		own := "/api/v1/notes/" + h.began(row.Patient.ID)
		for what, got := range map[string][2]int{
			"read it":    {first(h.api("GET", note, tt.token, "", nil)), tt.read},
			"its text":   {first(h.api("GET", note+"/state", tt.token, "", nil)), tt.read},
			"follow":     {first(h.api("GET", "/api/v1/accesses", tt.token, "", nil)), tt.follow},
			"edit":       {first(h.api("POST", own+"/edits", tt.token, "", update)), tt.edit},
			"others'":    {first(h.api("POST", note+"/edits", tt.token, "", update)), 403},
			"a page":     {first(h.api("GET", "/", tt.token, "", nil)), 403},
			"its page":   {first(h.api("GET", "/notes/"+h.note.String(), tt.token, "", nil)), 403},
			"a board":    {first(h.api("GET", "/units/4-west", tt.token, "", nil)), 403},
			"a ticket":   {first(h.api("POST", note+"/ticket", tt.token, "", nil)), 422},
			"the people": {first(h.api("GET", "/admin/sessions", tt.token, "", nil)), 403},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: %s: %d, want %d", tt.name, what, got[0], got[1])
			}
		}
		if status, _ := h.begin(tt.token, row.Patient.ID); status != tt.begun {
			t.Errorf("%s: begin: %d, want %d", tt.name, status, tt.begun)
		}
		code := 0
		if tt.read != 200 {
			code = 4401 // as knock says of what a Hocuspocus provider is denied
		}
		if got := h.knock("hocuspocus", h.note, tt.token, nil); int(got) != code {
			t.Errorf("%s: a socket: %d, want %d", tt.name, got, code)
		}
		for query, want := range map[string]bool{"": tt.read == 200, "?unit=4-west": tt.read == 200, "?unit=icu": false} {
			if _, body, _ := h.api("GET", "/api/v1/notes"+query, tt.token, "", nil); bytes.Contains(body, []byte(h.note.String())) != want {
				t.Errorf("%s: list%s names the note: %v, want %v", tt.name, query, !want, want)
			}
		}
	}
}

func first(status int, _ []byte, _ http.Header) int { return status }

// began makes a note of the service account's, and returns its id.
func (h *hospital) began(patient uuid.UUID) string {
	h.t.Helper()
	status, id := h.begin(h.token("chen"), patient)
	if status != http.StatusCreated {
		h.t.Fatal(status)
	}
	h.sql(`UPDATE note SET created_by = (SELECT id FROM person WHERE username = 'lab') WHERE id = $1`, id)
	return id.String()
}

// TestTokensFollowThePatient: who moves to another unit is out of a token's reach within a second.
func TestTokensFollowThePatient(t *testing.T) {
	h := open(t).work()
	ws := h.openWire(h.program(access.ReadNotes, "4-west"), nil)
	stays := h.openWire(h.program(access.ReadNotes, "4-west"), nil)
	before := time.Now()
	h.sql(`UPDATE stay SET bed_id = (SELECT id FROM bed WHERE unit_id = 'icu' AND id NOT IN (SELECT bed_id FROM stay) LIMIT 1) WHERE patient_id = `+patient, h.note)
	for _, ws := range []*wire{ws, stays} { // though the program works there, too
		if _, code := ws.until(isScope); code != 4403 || time.Since(before) > time.Second {
			t.Errorf("close code %d after %v", code, time.Since(before))
		}
	}
}

// TestTokensEnd: what has expired, was revoked, or belongs to who has become somebody else, is nobody's.
func TestTokensEnd(t *testing.T) {
	h := open(t).work()
	path := "/api/v1/notes/" + h.note.String()
	for name, end := range map[string]func(id uuid.UUID){
		"expired":   func(id uuid.UUID) { h.sql(`UPDATE api_token SET expires_at = now() WHERE id = $1`, id) },
		"suspended": func(uuid.UUID) { h.suspend("lab") },
		"revoked": func(id uuid.UUID) {
			if err := login.RevokeToken(t.Context(), h.db, "lab", id); err != nil {
				t.Error(err)
			}
		},
		"become a physician": func(uuid.UUID) { h.sql(`UPDATE person SET role = 'attending' WHERE username = 'lab'`) },
		"an unknown scope": func(id uuid.UUID) {
			h.sql(`ALTER TABLE api_token DROP CONSTRAINT api_token_scopes_check`)
			h.sql(`UPDATE api_token SET scopes = scopes || '{notes:delete}' WHERE id = $1`, id)
			h.sql(`UPDATE person SET unit_id = NULL WHERE username = 'lab'`) // so that it is looked at
		},
	} {
		t.Run(name, func(t *testing.T) {
			h.sql(`UPDATE person SET role = 'service account', suspended = false, unit_id = '4-west' WHERE username = 'lab'`)
			token := h.program(access.ReadNotes, "4-west")
			all, err := login.Tokens(t.Context(), h.db, "lab")
			if err != nil || len(all) == 0 {
				t.Fatal(err)
			}
			ws := h.openWire(token, nil)
			if status, _, _ := h.api("GET", path, token, "", nil); status != 200 {
				t.Fatalf("before: %d", status)
			}
			before := time.Now()
			end(all[0].ID)
			if _, code := ws.until(isScope); code != 4401 || time.Since(before) > time.Second {
				t.Errorf("the socket: close code %d after %v, want 4401 within a second", code, time.Since(before))
			}
			if status, _, _ := h.api("GET", path, token, "", nil); status != 401 {
				t.Errorf("afterwards: %d", status)
			}
		})
	}
	if err := login.RevokeToken(t.Context(), h.db, "chen", uuid.New()); err == nil {
		t.Error("what does not exist is revoked")
	}
}

// suspend ends all that somebody has.
func (h *hospital) suspend(username string) {
	h.t.Helper()
	yes := true
	if _, err := login.Alter(h.t.Context(), h.db, uuid.Nil, username, login.Change{Suspended: &yes}); err != nil {
		h.t.Fatal(err)
	}
}

// TestTokensInAddresses are refused, a person's as a program's: proxies log those.
func TestTokensInAddresses(t *testing.T) {
	h := open(t).work()
	for whose, token := range map[string]string{"a program's": h.program(access.ReadNotes, "4-west"), "a person's": h.token("chen")} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		ws, _, err := websocket.Dial(ctx, h.URL+"/ws/notes/"+h.note.String()+"?token="+token, nil)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil { // it is told why
			_, _, err = ws.Read(ctx)
		}
		if code := websocket.CloseStatus(err); code != 4401 {
			t.Errorf("a socket by %s: %d", whose, code)
		}
		if code := h.knock("y-websocket", h.note, token, nil); code != 0 {
			t.Errorf("a socket by %s, in a header: %d", whose, code)
		}
		for _, name := range []string{"token", "access_token", "api_key"} {
			if status, _, _ := h.get(h.browser(), "/api/v1/notes?"+name+"="+token); status != 401 {
				t.Errorf("%s as %s in the API's address: %d", whose, name, status)
			}
		}
		if strings.Contains(h.log.String(), token) {
			t.Errorf("the log quotes %s", whose)
		}
	}
	if n := strings.Count(h.log.String(), "a token came in an address"); n != 2 {
		t.Errorf("the log says %d times that one came, want 2", n)
	}
}

// TestProgramsDoNotSignIn, whatever they may have to do so with.
func TestProgramsDoNotSignIn(t *testing.T) {
	h := open(t)
	h.program(access.ReadNotes, "4-west")
	if _, err := login.Invite(t.Context(), h.db, "lab"); err == nil {
		t.Error("a program is invited")
	}
	code := h.newcomer("late")
	rivera := h.signIn("rivera")
	h.sql(`UPDATE person SET role = 'service account' WHERE username IN ('rivera', 'late')`)
	h.sql(`UPDATE person SET password_hash = (SELECT password_hash FROM person WHERE username = 'chen') WHERE username = 'lab'`)
	for _, username := range []string{"lab", "rivera"} {
		if status, _, header := h.submit(h.browser(), "/login", url.Values{"username": {username}, "password": {demo.Password}}); status != 401 || header.Get("Set-Cookie") != "" {
			t.Errorf("%s signs in: %d", username, status)
		}
	}
	if status, _, _ := h.get(rivera, "/"); status != 303 {
		t.Errorf("a login from before: %d", status)
	}
	if status, _ := h.enrol(h.browser(), code, sentence, sentence); status != 422 {
		t.Errorf("an invitation from before: %d", status)
	}
}

// TestTokensAreChecked before they are issued.
func TestTokensAreChecked(t *testing.T) {
	h := open(t)
	h.program(access.ReadNotes, "4-west")
	h.hire("gone", "service account", "", "")
	h.suspend("gone")
	const day = 24 * time.Hour
	for name, tt := range map[string]login.NewToken{
		"nobody":              {Username: "nobody"},
		"of who is suspended": {Username: "gone", Scopes: access.ReadAccesses.Names()},
		"no scope":            {Username: "lab"},
		"an unknown scope":    {Username: "lab", Scopes: []string{"accesses:read", "notes:delete"}},
		"no unit":             {Username: "lab", Scopes: access.ReadNotes.Names()},
		"no unit to write":    {Username: "lab", Scopes: (access.WriteNotes | access.ReadAccesses).Names()},
		"no such unit":        {Username: "lab", Scopes: access.ReadNotes.Names(), Unit: "7-north"},
		"a unit for nothing":  {Username: "lab", Scopes: access.ReadAccesses.Names(), Unit: "4-west"},
		"for ever":            {Username: "lab", Scopes: access.ReadAccesses.Names(), Lasts: 366 * day},
		"for no time":         {Username: "lab", Scopes: access.ReadAccesses.Names(), Lasts: -day},
		"a long label":        {Username: "lab", Scopes: access.ReadAccesses.Names(), Label: strings.Repeat("x", 101)},
		"a person's scopes":   {Username: "chen", Scopes: access.ReadNotes.Names(), Unit: "4-west"},
		"a person's, long":    {Username: "chen", Lasts: 31 * day},
	} {
		if _, err := login.IssueToken(t.Context(), h.db, tt); err == nil {
			t.Errorf("%s: issued", name)
		}
	}
	issued := h.program(access.ReadNotes|access.WriteNotes, "4-west")
	if !regexp.MustCompile(`^tide_[0-9A-Za-z]{49}$`).MatchString(issued) {
		t.Error("scanners do not know it")
	}
	all, err := login.Tokens(t.Context(), h.db, "lab")
	if err != nil || len(all) != 2 || slices.ContainsFunc(all, func(l login.Token) bool { return l.Expires.Sub(l.Created).Round(time.Hour) != 90*day }) {
		t.Fatalf("%+v, %v", all, err)
	}
	for range 18 {
		h.program(access.ReadAccesses, "")
	}
	if _, err := login.IssueToken(t.Context(), h.db, login.NewToken{Username: "lab", Scopes: access.ReadAccesses.Names()}); err == nil {
		t.Error("there is no end of them")
	}
	if n := h.count(`SELECT count(*) FROM api_token WHERE position('tide_'::bytea IN hash) > 0 OR octet_length(hash) <> 32`); n != 0 {
		t.Error("a token is stored as it is")
	}
}

// TestLastUseOfTokens is known to the hour, and costs one statement in it.
func TestLastUseOfTokens(t *testing.T) {
	h := open(t).work()
	token := h.program(access.ReadNotes, "4-west")
	used := func() time.Time {
		all, err := login.Tokens(t.Context(), h.db, "lab")
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		return all[0].Used
	}
	if !used().IsZero() {
		t.Error("used before it was")
	}
	h.api("GET", "/api/v1/notes", token, "", nil)
	at := used()
	h.api("GET", "/api/v1/notes", token, "", nil)
	if at.IsZero() || !used().Equal(at) {
		t.Errorf("used at %v, and then at %v", at, used())
	}
	h.sql(`UPDATE api_token SET used_at = now() - interval '61 minutes'`)
	if h.api("GET", "/api/v1/notes", token, "", nil); time.Since(used()) > time.Minute {
		t.Errorf("used at %v", used())
	}
}

// TestFollow: a program reads who opens records, all of it, once, and no names of patients.
func TestFollow(t *testing.T) {
	h := open(t).work()
	h.get(h.signIn("brandt"), "/notes/"+h.note.String()) // refused, a moment ago: not yet
	h.sql(`INSERT INTO opening (person_id, patient_id, note_id, how, ties, at, minute)
		SELECT person.id, note.patient_id, CASE WHEN n % 2 = 0 THEN note.id END, 'page', 'unit', date_trunc('second', now()) - interval '1 day' + n / 3 * interval '1 second', n
		  FROM generate_series(1, 2500) n, note, person WHERE note.id = $1 AND username = 'okafor'`, h.note)
	token := h.program(access.ReadAccesses, "")
	next, seen := "", 0
	for range 5 {
		status, body, _ := h.api("GET", "/api/v1/accesses?after="+next, token, "", nil)
		var page struct {
			Accesses []struct {
				Username, MRN string
				Note          *uuid.UUID
			}
			Next string
		}
		if err := json.Unmarshal(body, &page); status != 200 || err != nil {
			t.Fatalf("%d, %v: %.200s", status, err, body)
		}
		if seen += len(page.Accesses); len(page.Accesses) > 0 && (page.Accesses[0].Username != "okafor" || page.Accesses[0].MRN == "") {
			t.Errorf("%+v", page.Accesses[0])
		}
		if containsAny(string(body), "family", "given", "brandt") {
			t.Error("it names a patient, or what has only just happened")
		}
		next = page.Next
	}
	if seen != 2500 {
		t.Errorf("%d accesses, want 2500", seen)
	}
	for _, place := range []string{"x", "1", "1.", ".1", "1.2.3", "99999999999999999999.1", "%00"} {
		if status, _, _ := h.api("GET", "/api/v1/accesses?after="+place, token, "", nil); status != 422 {
			t.Errorf("after %q: %d", place, status)
		}
	}
	if status, _, _ := h.api("GET", "/api/v1/accesses", h.token("lindqvist"), "", nil); status != 403 {
		t.Errorf("a person's token: %d", status)
	}
}
