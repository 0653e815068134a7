package login

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login/breached"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// expected are words that whoever guesses here tries first, beside the names of a password's owner: they add nothing to it.
var expected = []string{"tidechart", "password", "hospital", "clinic", "medical", "health", "patient", "doctor", "nurse", "notes", "unit", "west", "east"}

// newPassword returns what to store of a password that owner chooses. The error is [ErrWeakPassword] or [ErrStolen], or one
// of inTurn's.
func newPassword(ctx context.Context, password string, owner queries.Person) (phc string, err error) {
	if weak(password, owner) {
		return "", ErrWeakPassword
	}
	if breached.Listed(password) {
		return "", ErrStolen
	}
	if err := inTurn(ctx, func() { phc = HashPassword(password) }); err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return phc, nil
}

// ChangePassword gives somebody who has a password another one, ends their other logins, and renews the one that asks. The
// error is [ErrWeakPassword] or [ErrStolen], after which nothing has changed, [ErrBusy], or [store.ErrNotFound] if they have none.
func (d *Desk) ChangePassword(w http.ResponseWriter, r *http.Request, who Person, password string) error {
	ctx := r.Context()
	this, err := uuid.Parse(who.Login)
	if err != nil {
		return ErrNotSignedIn
	}
	row, err := d.db.PersonByID(ctx, who.ID)
	if err != nil {
		return fmt.Errorf("look up person: %w", err)
	}
	phc, err := newPassword(ctx, password, row)
	if err != nil {
		return err
	}
	e := audit.Event{Act: audit.ChangeSignIn, About: who.ID, Code: "password"}
	err = d.db.Act(ctx, &e, func(q *queries.Queries) error {
		changed, err := q.ChangePassword(ctx, phc, who.ID, this)
		if err == nil && changed == 0 {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return d.renew(w, r, who, "new password", false)
}

// weak reports whether a password is easily guessed by who knows its owner, or by anybody.
func weak(password string, owner queries.Person) bool {
	if utf8.RuneCountInString(password) < MinPassword || len(password) > maxPassword || !utf8.ValidString(password) {
		return true
	}
	const fewest = 5 // different characters
	different := make(map[rune]bool)
	for _, r := range password {
		different[r] = true
	}
	rest := strings.ToLower(password)
	for _, word := range slices.Concat(strings.Fields(strings.ToLower(owner.Name)), []string{owner.Username}, expected) {
		if len(word) > 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	return len(different) < fewest || utf8.RuneCountInString(rest) < MinPassword/2
}
