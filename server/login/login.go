// Package login says who a request comes from: a browser by its cookie, a program by its token.
//
// A login is never called a session; a session is people writing one note.
package login

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// loginLifetime is a long shift.
const loginLifetime = 12 * time.Hour

// displayLifetime is how long a display stays signed in, which nobody touches: it opens no record.
const displayLifetime = 90 * 24 * time.Hour

// Errors that callers tell apart.
var (
	ErrNotSignedIn   = errors.New("not signed in, or the login has expired")
	ErrWrongPassword = errors.New("wrong username, password or code")
	ErrBusy          = errors.New("too many sign-ins at once")
)

// Person is somebody known.
type Person struct {
	ID       uuid.UUID
	Username string
	Name     string
	Role     access.Role
	Unit     string // empty: none
	Color    int    // 0–7

	Browser bool // known by a browser's cookie, not by a token
	Weak    bool // has shown a password alone at this browser, where more is demanded: see [ErrWeak]

	Scopes    access.Scopes // what the token of a program is for; see [Person.Elsewhere]
	TokenUnit string        // of whose notes

	Login  string    // names this proof of who they are, and reveals nothing of it
	Device string    // what they show it with, in words: a browser, a token; empty: not known
	Until  time.Time // when it expires; that of a browser's login moves with input, see [Desk.Input]
	Proven time.Time // when they last gave it at this browser; zero for a program
}

// StepUp is for how long it counts that somebody has proven who they are, before what may not be done by whoever finds
// an open browser.
const StepUp = 5 * time.Minute

// Fresh reports whether it was proven within [StepUp] that this is them.
func (p Person) Fresh() bool { return time.Since(p.Proven) < StepUp }

// Elsewhere reports whether a unit, of a note or a patient, is not the one that a program's token is for.
func (p Person) Elsewhere(unit string) bool { return IsProgram(string(p.Role)) && p.TokenUnit != unit }

// Desk signs people in and recognises them afterwards.
type Desk struct {
	db       *store.DB
	cookies  *scs.SessionManager
	attempts *attempts
	logoff   Logoff
	demand   Demand
	now      func() time.Time
	network  func(*http.Request) string
}

// Options are how a [Desk] works. All but Secure, Logoff and Demand are required.
type Options struct {
	Secure  bool                       // browsers reach the server by HTTPS
	Logoff  Logoff                     // the zero value is the default
	Demand  Demand                     // likewise
	Now     func() time.Time           // of input, which all servers on a database compare
	Network func(*http.Request) string // names where a request comes from, whatever its sender writes
}

// NewDesk returns a Desk.
func NewDesk(db *store.DB, o Options) *Desk {
	m := scs.New()
	m.Store = db.Logins()
	m.HashTokenInStore = true
	m.Lifetime = loginLifetime
	m.Cookie.Name = "tidechart"
	if o.Secure {
		m.Cookie.Name = "__Host-tidechart"
	}
	m.Cookie.Secure = o.Secure
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteStrictMode
	return &Desk{db: db, cookies: m, attempts: newAttempts(), logoff: o.Logoff, demand: o.Demand, now: o.Now, network: o.Network}
}

// ByCookie returns the person whose browser sent r, or [ErrNotSignedIn], as [ErrLoggedOff] if that is because nobody has
// used it for too long.
func (d *Desk) ByCookie(r *http.Request) (Person, error) {
	cookie, err := r.Cookie(d.cookies.Cookie.Name)
	if err != nil {
		return Person{}, ErrNotSignedIn
	}
	row, err := d.db.PersonOfLogin(r.Context(), hashOfSecret(cookie.Value))
	return d.ofLogin(r.Context(), row, err)
}

// seenEvery is how exactly it is known when a login was last used.
const seenEvery = time.Minute

// ofLogin turns what a query for a login found into its person.
func (d *Desk) ofLogin(ctx context.Context, row queries.PersonOfLoginRow, err error) (Person, error) {
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNotSignedIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("look up login: %w", err)
	}
	until, err := d.unused(ctx, row)
	if err != nil {
		return Person{}, err
	}
	if time.Since(row.SeenAt) > seenEvery {
		if err := d.db.SeeLogin(ctx, row.ID); err != nil {
			return Person{}, fmt.Errorf("note that a login is used: %w", err)
		}
	}
	who := known(row.Person, row.ID.String(), until)
	who.Device = row.Browser
	who.Browser, who.Proven, who.Weak = true, row.ProvenAt, !row.Strong && d.Demands(who.Role)
	return who, nil
}

// Again looks up anew who somebody is, by the proof that who was recognised by, though a browser's cookie may have been
// renewed since. The error is [ErrNotSignedIn] if that proof has ended, as [ErrLoggedOff] if nobody has used it for too long.
func (d *Desk) Again(ctx context.Context, who Person) (Person, error) {
	if id, err := uuid.Parse(who.Login); err == nil {
		row, err := d.db.PersonOfLoginNamed(ctx, id)
		return d.ofLogin(ctx, queries.PersonOfLoginRow(row), err)
	}
	hash, err := base64.RawURLEncoding.DecodeString(who.Login)
	if err != nil {
		return Person{}, ErrNotSignedIn
	}
	return d.ofToken(ctx, hash)
}

// ByRequest returns the person behind a bearer token if r carries one, else behind its cookie.
func (d *Desk) ByRequest(r *http.Request) (Person, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return d.ByToken(r.Context(), token)
	}
	return d.ByCookie(r)
}

func known(row queries.Person, login string, until time.Time) Person {
	p := Person{
		ID: row.ID, Username: row.Username, Name: row.Name, Role: access.Role(row.Role), Color: int(row.Color),
		Login: login, Until: until,
	}
	if row.UnitID != nil {
		p.Unit = *row.UnitID
	}
	return p
}
