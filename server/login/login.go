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
	ErrWrongPassword = errors.New("wrong username or password")
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

	Login string    // names this proof of who they are, and reveals nothing of it
	Until time.Time // when it expires; that of a browser's login moves with input, see [Desk.Input]
}

// Desk signs people in and recognises them afterwards.
type Desk struct {
	db       *store.DB
	cookies  *scs.SessionManager
	attempts *attempts
	logoff   Logoff
	now      func() time.Time
	network  func(*http.Request) string
}

// Options are how a [Desk] works. All but Secure and Logoff are required.
type Options struct {
	Secure  bool                       // browsers reach the server by HTTPS
	Logoff  Logoff                     // the zero value is the default
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
	return &Desk{db: db, cookies: m, attempts: newAttempts(), logoff: o.Logoff, now: o.Now, network: o.Network}
}

const personKey = "person"

// SignIn checks a password and sets the cookie of a fresh login. It returns [ErrWrongPassword] for a wrong
// password and for an unknown person alike, after the same time, and [*TooManyTries] after too many.
func (d *Desk) SignIn(w http.ResponseWriter, r *http.Request, username, password string) (Person, error) {
	ctx := r.Context()
	row, err := d.db.PersonByUsername(ctx, username)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Person{}, fmt.Errorf("look up person: %w", err)
	}
	known, err := d.knows(r, row.ID)
	if err != nil {
		return Person{}, err
	}
	right, err := d.attempts.begin(time.Now(), triesAt(username, known, d.network(r))...)
	if err != nil {
		return Person{}, err
	}
	if err := d.compare(ctx, row.PasswordHash, password); err != nil {
		return Person{}, err
	}
	right()
	if err := d.know(ctx, w, r, row.ID); err != nil {
		return Person{}, err
	}
	return d.begin(w, r, row.ID)
}

// compare returns [ErrWrongPassword] unless password is the one behind a PHC string, which nobody without a password has.
func (d *Desk) compare(ctx context.Context, phc *string, password string) error {
	stored := decoyHash
	if phc != nil {
		stored = *phc
	}
	right, err := checkPassword(ctx, stored, password)
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if !right || phc == nil {
		return ErrWrongPassword
	}
	return nil
}

// begin sets the cookie of a fresh login, in place of the one that the browser may have: nobody works on beside who has
// just signed in.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request, person uuid.UUID) (Person, error) {
	if _, err := d.end(r); err != nil {
		return Person{}, err
	}
	ctx, err := d.cookies.Load(r.Context(), "")
	if err != nil {
		return Person{}, fmt.Errorf("begin login: %w", err)
	}
	d.cookies.Put(ctx, personKey, person.String())
	token, expiry, err := d.cookies.Commit(ctx)
	if err == nil {
		err = d.db.OwnLogin(ctx, loginName(token), uuid.NullUUID{UUID: person, Valid: true}, d.now())
	}
	if err != nil {
		return Person{}, fmt.Errorf("store login: %w", err)
	}
	row, err := d.db.PersonOfLogin(ctx, loginName(token))
	if err != nil {
		return Person{}, fmt.Errorf("look up person: %w", err)
	}
	d.cookies.WriteSessionCookie(ctx, w, token, expiry)
	return known(row.Person, loginName(token), expiry), nil
}

// decoyHash is compared against when there is nobody to compare with, so that time does not tell.
var decoyHash = hashWith("", make([]byte, argonSalt))

// SignOut ends the request's login and returns its name, as in [Person.Login]; "" if there was none.
func (d *Desk) SignOut(w http.ResponseWriter, r *http.Request) (string, error) {
	name, err := d.end(r)
	if name != "" && err == nil {
		d.cookies.WriteSessionCookie(r.Context(), w, "", time.Time{})
	}
	return name, err
}

// end ends the login of the browser that sent r, if it has one, and returns its name.
func (d *Desk) end(r *http.Request) (string, error) {
	cookie, err := r.Cookie(d.cookies.Cookie.Name)
	if err != nil {
		return "", nil // nothing to end
	}
	ctx, err := d.cookies.Load(r.Context(), cookie.Value)
	if err == nil {
		err = d.cookies.Destroy(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("end login: %w", err)
	}
	return loginName(cookie.Value), nil
}

// loginName names a login by its secret, without revealing it: as the database does, which says when one ends.
func loginName(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ByCookie returns the person whose browser sent r, or [ErrNotSignedIn], as [ErrLoggedOff] if that is because nobody has
// used it for too long.
func (d *Desk) ByCookie(r *http.Request) (Person, error) {
	cookie, err := r.Cookie(d.cookies.Cookie.Name)
	if err != nil {
		return Person{}, ErrNotSignedIn
	}
	ctx, err := d.cookies.Load(r.Context(), cookie.Value)
	if err != nil {
		return Person{}, fmt.Errorf("look up login: %w", err)
	}
	name := loginName(cookie.Value)
	row, err := d.db.PersonOfLogin(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNotSignedIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("look up person: %w", err)
	}
	until, err := d.unused(ctx, name, row)
	if err != nil {
		return Person{}, err
	}
	if deadline := d.cookies.Deadline(ctx); deadline.Before(until) {
		if until = deadline; !d.now().Before(until) {
			return Person{}, ErrNotSignedIn
		}
	}
	who := known(row.Person, name, until)
	who.Browser = true
	return who, nil
}

// ByToken returns the person a bearer token belongs to, or [ErrNotSignedIn].
func (d *Desk) ByToken(ctx context.Context, token string) (Person, error) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return Person{}, ErrNotSignedIn
	}
	sum := sha256.Sum256([]byte(token))
	row, err := d.db.PersonByToken(ctx, sum[:])
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNotSignedIn
	}
	if err != nil {
		return Person{}, fmt.Errorf("look up token: %w", err)
	}
	return known(queries.Person{
		ID: row.ID, Username: row.Username, Name: row.Name, Role: row.Role, UnitID: row.UnitID, Color: row.Color,
	}, loginName(token), row.ExpiresAt), nil
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
