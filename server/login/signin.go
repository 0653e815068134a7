package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// SignIn checks a password, and a code of whoever has an app for those, and sets the cookie of a fresh login. It returns
// [ErrWrongPassword] for what is wrong of these and for an unknown person alike, after the same time, and [*TooManyTries]
// after too many.
func (d *Desk) SignIn(w http.ResponseWriter, r *http.Request, username, password, code string) (Person, error) {
	ctx := r.Context()
	row, err := d.db.PersonByUsername(ctx, username)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Person{}, fmt.Errorf("look up person: %w", err)
	}
	known, err := d.knows(r, row.ID)
	if err != nil {
		return Person{}, err
	}
	passwords, codes := triesAt(username, known, d.network(r))
	right, err := d.attempts.begin(time.Now(), passwords...)
	if err != nil {
		return Person{}, err
	}
	if err := d.compare(ctx, row.PasswordHash, password); err != nil {
		return Person{}, d.failed(ctx, audit.Event{Act: audit.SignIn, About: row.ID, Code: "password"}, err)
	}
	strong, err := d.checkCode(ctx, row.ID, code, codes)
	if err != nil {
		return Person{}, d.failed(ctx, audit.Event{Act: audit.SignIn, About: row.ID, Code: "code"}, err)
	}
	right()
	if err := d.know(ctx, w, r, row.ID); err != nil {
		return Person{}, err
	}
	return d.begin(w, r, row.ID, "password", strong)
}

// failed records that somebody has not proved who they are, if that is what err says, and returns err. Whom they claimed to be is in
// e. Who tries too often is not on record: nothing of theirs is looked at.
func (d *Desk) failed(ctx context.Context, e audit.Event, err error) error {
	if errors.Is(err, ErrWrongPassword) || errors.Is(err, ErrPasskey) || errors.Is(err, ErrNotLinked) || errors.Is(err, ErrNoInvitation) {
		e.Outcome = audit.Failed
		if unrecorded := d.db.Record(ctx, e); unrecorded != nil {
			return unrecorded
		}
	}
	return err
}

// Confirm checks the password, and the code, of somebody who is signed in at the browser that sent r: they are [Person.Fresh]
// afterwards, under a renewed cookie. Its errors are those of [Desk.SignIn].
func (d *Desk) Confirm(w http.ResponseWriter, r *http.Request, who Person, password, code string) error {
	ctx := r.Context()
	row, err := d.db.PersonByID(ctx, who.ID)
	if err != nil {
		return fmt.Errorf("look up person: %w", err)
	}
	right, err := d.attempts.begin(time.Now(), confirmGuesses.of(who.Login))
	if err != nil {
		return err
	}
	if err := d.compare(ctx, row.PasswordHash, password); err != nil {
		return d.failed(ctx, audit.Event{Act: audit.Confirm, Code: "password"}, err)
	}
	strong, err := d.checkCode(ctx, who.ID, code, []count{confirmCodes.of(who.Login)})
	if err != nil {
		return d.failed(ctx, audit.Event{Act: audit.Confirm, Code: "code"}, err)
	}
	right()
	return d.renew(w, r, who, "password", strong)
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

// decoyHash is compared against when there is nobody to compare with, so that time does not tell.
var decoyHash = hashWith("", make([]byte, argonSalt))

// begin sets the cookie of a fresh login, and ends the one that the browser had: nobody goes on as whoever was there before,
// and no secret from before a sign-in is worth anything after it. with is by what they proved who they are; strong says that it was
// more than a password.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request, person uuid.UUID, with string, strong bool) (Person, error) {
	return d.beginFrom(w, r, person, account{At: time.Now()}, with, strong)
}

// beginFrom is begin of somebody who proved elsewhere who they are.
func (d *Desk) beginFrom(w http.ResponseWriter, r *http.Request, person uuid.UUID, from account, with string, strong bool) (Person, error) {
	if old, err := r.Cookie(d.cookies.Cookie.Name); err == nil {
		if err := d.db.DeleteLogin(r.Context(), hashOfSecret(old.Value)); err != nil {
			return Person{}, fmt.Errorf("end the login before: %w", err)
		}
	}
	ctx, err := d.cookies.Load(r.Context(), "")
	if err != nil {
		return Person{}, fmt.Errorf("begin login: %w", err)
	}
	secret, expiry, err := d.cookies.Commit(ctx)
	if err == nil {
		e := audit.Event{Act: audit.SignIn, Who: person, About: person, Code: with}
		err = d.db.Act(ctx, &e, func(q *queries.Queries) error {
			return q.OwnLogin(ctx, queries.OwnLoginParams{
				Token: hashOfSecret(secret), Person: uuid.NullUUID{UUID: person, Valid: true}, Browser: browserName(r.UserAgent()),
				ProvenAt: from.At, InputAt: d.now(), Issuer: orNull(from.Issuer), Subject: orNull(from.Subject), Sid: orNull(from.Session),
				Strong: strong,
			})
		})
	}
	if err != nil {
		return Person{}, fmt.Errorf("store login: %w", err)
	}
	row, err := d.db.PersonOfLogin(ctx, hashOfSecret(secret))
	if err == nil && access.Role(row.Person.Role) == access.Display {
		row.ExpiresAt = d.now().Add(displayLifetime)
		expiry, err = row.ExpiresAt, d.db.LengthenLogin(ctx, row.ID, row.ExpiresAt)
	}
	who, err := d.ofLogin(ctx, row, err)
	if err != nil {
		return Person{}, err
	}
	d.cookies.WriteSessionCookie(ctx, w, secret, expiry)
	return who, nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// renew gives somebody's login another secret, as whoever has just proven more than before deserves one that nobody else
// has seen: the login, and what is open under it, goes on. with is by what they proved it, and strong says that it was more than
// a password.
func (d *Desk) renew(w http.ResponseWriter, r *http.Request, who Person, with string, strong bool) error {
	return d.renewFrom(w, r, who, with, time.Now(), strong)
}

// renewFrom is renew of somebody who proved elsewhere who they are, at that time.
func (d *Desk) renewFrom(w http.ResponseWriter, r *http.Request, who Person, with string, proven time.Time, strong bool) error {
	id, err := uuid.Parse(who.Login)
	if err != nil {
		return ErrNotSignedIn
	}
	fresh := newSecret()
	var expiry time.Time
	e := audit.Event{Act: audit.Confirm, Who: who.ID, About: who.ID, Code: with}
	err = d.db.Act(r.Context(), &e, func(q *queries.Queries) (err error) {
		expiry, err = q.RenewLogin(r.Context(), queries.RenewLoginParams{
			Fresh: hashOfSecret(fresh), Proven: proven, At: d.now(), ID: id, UsedSince: d.usedSince(who.Role), Strong: strong,
		})
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotSignedIn
	}
	if err != nil {
		return fmt.Errorf("renew login: %w", err)
	}
	d.cookies.WriteSessionCookie(r.Context(), w, fresh, expiry)
	return nil
}

// SignOut ends the request's login and returns its name, as in [Person.Login]; "" if there was none.
func (d *Desk) SignOut(w http.ResponseWriter, r *http.Request) (string, error) {
	cookie, err := r.Cookie(d.cookies.Cookie.Name)
	if err != nil {
		return "", nil // nothing to end
	}
	d.cookies.WriteSessionCookie(r.Context(), w, "", time.Time{})
	var ended queries.EndLoginRow
	e := audit.Event{Act: audit.SignOut, Code: "themselves"}
	err = d.db.Act(r.Context(), &e, func(q *queries.Queries) (err error) {
		ended, err = q.EndLogin(r.Context(), hashOfSecret(cookie.Value))
		e.Who, e.About = ended.PersonID.UUID, ended.PersonID.UUID
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("end login: %w", err)
	}
	return ended.ID.String(), nil
}

// newSecret makes what only one browser knows.
func newSecret() string {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// hashOfSecret is how a login's secret is stored: as scs does it.
func hashOfSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
