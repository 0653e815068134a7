package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// Limits of automatic logoff. docs/limits.md lists them.
const (
	LogoffAfter = 15 * time.Minute // without input, unless it is set otherwise

	longestWarning = time.Minute

	shortestLogoff = 10 * time.Second
	longestLogoff  = 4 * time.Hour

	resumeWithin = loginLifetime // a sign-in leads back to where its person was
)

// ErrLoggedOff is an [ErrNotSignedIn] for a login that nobody has used for too long. It is returned once; the login is
// gone then.
var ErrLoggedOff = fmt.Errorf("%w: no input for too long", ErrNotSignedIn)

// Logoff says how long a login lasts without input by a person.
type Logoff struct {
	After  time.Duration                 // zero: [LogoffAfter]
	ByRole map[access.Role]time.Duration // for whom it is another time
}

// NewLogoff returns what an operator has set. It refuses times that are too short to work with, or too long to protect
// anything, and roles that do not exist.
func NewLogoff(after time.Duration, byRole map[string]time.Duration) (Logoff, error) {
	l := Logoff{After: after, ByRole: make(map[access.Role]time.Duration)}
	check := func(who string, after time.Duration) error {
		if after < shortestLogoff || after > longestLogoff {
			return fmt.Errorf("logoff of %s after %v: it must be between %v and %v", who, after, shortestLogoff, longestLogoff)
		}
		return nil
	}
	err := check("everybody", after)
	for role, after := range byRole {
		if !slices.Contains(access.Roles(), access.Role(role)) {
			err = errors.Join(err, fmt.Errorf("there is no role %q", role))
		}
		err = errors.Join(err, check(role, after))
		l.ByRole[access.Role(role)] = after
	}
	return l, err
}

func (l Logoff) after(role access.Role) time.Duration {
	if after, is := l.ByRole[role]; is {
		return after
	}
	if role == access.Display {
		return displayLifetime
	}
	if l.After == 0 {
		return LogoffAfter
	}
	return l.After
}

// WarnBefore is how long before the end of an unused login its person is asked whether they are there.
func (d *Desk) WarnBefore(role access.Role) time.Duration {
	return min(longestWarning, d.logoff.after(role)/2)
}

// unused ends a login if it has gone without input for too long, and says until when it may go on otherwise.
func (d *Desk) unused(ctx context.Context, row queries.PersonOfLoginRow) (until time.Time, err error) {
	now, since := d.now(), d.usedSince(access.Role(row.Person.Role))
	if !row.InputAt.After(since) {
		if err := d.logOff(ctx, row, since); err != nil {
			return until, fmt.Errorf("log off: %w", err)
		}
		return until, ErrLoggedOff
	}
	until = now.Add(row.InputAt.Sub(since))
	if row.ExpiresAt.Before(until) {
		if until = row.ExpiresAt; !now.Before(until) {
			return until, ErrNotSignedIn
		}
	}
	return until, nil
}

// logOff ends a login that had no input since a time.
func (d *Desk) logOff(ctx context.Context, row queries.PersonOfLoginRow, since time.Time) error {
	e := audit.Event{Act: audit.SignOut, Who: row.Person.ID, About: row.Person.ID, Code: "unused"}
	return d.db.Act(ctx, &e, func(q *queries.Queries) error { return q.LogOff(ctx, d.now(), row.ID, since) })
}

// usedSince is since when a login must have had input to go on.
func (d *Desk) usedSince(role access.Role) time.Time { return d.now().Add(-d.logoff.after(role)) }

// Input notes that a person has just used the browser that sent r, in note unless that is zero, and returns who it is.
// Errors are those of [Desk.ByCookie].
func (d *Desk) Input(r *http.Request, note uuid.UUID) (Person, error) {
	who, err := d.ByCookie(r)
	if err != nil {
		return Person{}, err
	}
	id, err := uuid.Parse(who.Login)
	if err != nil {
		return Person{}, ErrNotSignedIn
	}
	where := uuid.NullUUID{UUID: note, Valid: note != uuid.Nil}
	touched, err := d.db.NoteInput(r.Context(), d.now(), where, id)
	if err != nil {
		return Person{}, fmt.Errorf("note input: %w", err)
	}
	if touched == 0 {
		return Person{}, ErrNotSignedIn
	}
	return d.ByCookie(r)
}

// LogOff ends the request's login as if it had been unused for too long: a later sign-in of its person leads back to
// where they were. It returns the login's name, "" if there was none.
func (d *Desk) LogOff(w http.ResponseWriter, r *http.Request) (string, error) {
	cookie, err := r.Cookie(d.cookies.Cookie.Name)
	if err != nil {
		return "", nil // nothing to end
	}
	d.cookies.WriteSessionCookie(r.Context(), w, "", time.Time{})
	row, err := d.db.PersonOfLogin(r.Context(), hashOfSecret(cookie.Value))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	now := d.now()
	if err == nil {
		err = d.logOff(r.Context(), row, now.Add(time.Hour)) // whatever input there was
	}
	if err != nil {
		return "", fmt.Errorf("log off: %w", err)
	}
	return row.ID.String(), nil
}

// Resume returns the note that a person was in when a login of theirs ended by itself, or zero. It does so once.
func (d *Desk) Resume(ctx context.Context, person uuid.UUID) (uuid.UUID, error) {
	row, err := d.db.Resume(ctx, person)
	if errors.Is(err, store.ErrNotFound) {
		return uuid.Nil, nil
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look up where they were: %w", err)
	}
	if d.now().Sub(row.EndedAt) > resumeWithin {
		return uuid.Nil, nil
	}
	return row.NoteID, nil
}
