// Package login says who a request comes from: a browser by its cookie, a program by its token.
//
// A login is never called a session; a session is people writing one note.
package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
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

// Lifetimes.
const (
	loginLifetime = 12 * time.Hour // a long shift
	tokenLifetime = 30 * 24 * time.Hour
)

// tokenPrefix lets scanners recognise a leaked token.
const tokenPrefix = "tide_"

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

	Login  string    // names this proof of who they are, and reveals nothing of it
	Until  time.Time // when it expires; that of a browser's login moves with input, see [Desk.Input]
	Proven time.Time // when they last gave it at this browser; zero for a program
}

// StepUp is for how long it counts that somebody has proven who they are, before what may not be done by whoever finds
// an open browser.
const StepUp = 5 * time.Minute

// Fresh reports whether it was proven within [StepUp] that this is them.
func (p Person) Fresh() bool { return time.Since(p.Proven) < StepUp }

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

// ByToken returns the person a bearer token belongs to, or [ErrNotSignedIn].
func (d *Desk) ByToken(ctx context.Context, token string) (Person, error) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return Person{}, ErrNotSignedIn
	}
	sum := sha256.Sum256([]byte(token))
	return d.ofToken(ctx, sum[:])
}

// ofToken returns the person of the token with that hash.
func (d *Desk) ofToken(ctx context.Context, hash []byte) (Person, error) {
	row, err := d.db.PersonByToken(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNotSignedIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("look up token: %w", err)
	}
	return known(queries.Person{
		ID: row.ID, Username: row.Username, Name: row.Name, Role: row.Role, UnitID: row.UnitID, Color: row.Color,
	}, base64.RawURLEncoding.EncodeToString(hash), row.ExpiresAt), nil
}

// ByRequest returns the person behind a bearer token if r carries one, else behind its cookie.
func (d *Desk) ByRequest(r *http.Request) (Person, error) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return d.ByToken(r.Context(), token)
	}
	return d.ByCookie(r)
}

// IssueToken makes a bearer token for a person, valid for 30 days. Only its hash is stored.
func IssueToken(ctx context.Context, db *store.DB, username string) (string, error) {
	row, err := db.PersonByUsername(ctx, username)
	if errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("no person has the username %q", username)
	}
	if err != nil {
		return "", fmt.Errorf("look up person: %w", err)
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	token := tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(token))
	if err := db.InsertToken(ctx, sum[:], row.ID, time.Now().Add(tokenLifetime)); err != nil {
		return "", fmt.Errorf("store token: %w", err)
	}
	return token, nil
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
