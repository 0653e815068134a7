package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login/breached"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// InvitationLifetime is how long somebody has to begin.
const InvitationLifetime = 72 * time.Hour

// MinPassword is how many characters a password has at least: long ones need no rules of what is in them (NIST SP 800-63B-4).
const MinPassword = breached.Shortest

// Why somebody could not begin.
var (
	ErrNoInvitation = errors.New("no such invitation, or it was used or has expired")
	ErrWeakPassword = errors.New("the password is too short or too simple")
	ErrStolen       = errors.New("the password is one that was stolen elsewhere")
)

// codes are read out, and typed: their alphabet has no letters that look like digits (Crockford's base 32).
var codes = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

const codeSize = 10 // bytes: 80 bits, each used once

// An Invitation is what to hand to a person.
type Invitation struct {
	Name, Code string
	Until      time.Time
}

// Invite makes a code by which a person may choose a password or make a passkey, once, within [InvitationLifetime]. Older ones no longer
// work. Only its hash is stored.
func Invite(ctx context.Context, db *store.DB, username string) (Invitation, error) {
	return invite(ctx, db, username, db.Invite)
}

// StartOver is Invite of somebody whose ways to sign in are not only theirs any more: those end at once, with what they
// have open, and their tokens.
func StartOver(ctx context.Context, db *store.DB, username string) (Invitation, error) {
	return invite(ctx, db, username, db.StartOver)
}

func invite(ctx context.Context, db *store.DB, username string, keep func(ctx context.Context, person uuid.UUID, code []byte, until time.Time) error) (Invitation, error) {
	p, err := anyone(ctx, db.Queries, username)
	if err == nil && p.Suspended {
		err = fmt.Errorf("%w: %s is suspended", ErrPerson, username)
	}
	if err == nil && IsProgram(p.Role) {
		err = fmt.Errorf("%w: %s is a program, and signs in with a token", ErrPerson, username)
	}
	if err != nil {
		return Invitation{}, err
	}
	code, until := newCode(), time.Now().Add(InvitationLifetime)
	if err := keep(ctx, p.ID, hashOfCode(code), until); err != nil {
		return Invitation{}, fmt.Errorf("store invitation: %w", err)
	}
	return Invitation{Name: p.Name, Code: code, Until: until}, nil
}

// newCode makes a code, in groups of four.
func newCode() string {
	secret := make([]byte, codeSize)
	_, _ = rand.Read(secret) // never fails
	return inFours(codes.EncodeToString(secret), "-")
}

// hashOfCode hashes a code as people type it.
func hashOfCode(code string) []byte {
	plain := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code))
	sum := sha256.Sum256([]byte(plain))
	return sum[:]
}

// Enrol gives the person whom code invites a password, ends their other logins and ways to sign in, and signs them in. The
// code does not work again. The error is [ErrNoInvitation], or [ErrWeakPassword] or [ErrStolen], after which the code still
// works, or [ErrBusy], or [*TooManyTries].
func (d *Desk) Enrol(w http.ResponseWriter, r *http.Request, code, password string) (Person, error) {
	ctx := r.Context()
	hash := hashOfCode(code)
	invited, err := d.invited(r, hash)
	if err != nil {
		return Person{}, err
	}
	phc, err := newPassword(ctx, password, invited)
	if err != nil {
		return Person{}, err
	}
	person, err := d.db.AcceptInvitation(ctx, &phc, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, ErrNoInvitation // somebody else was faster
	}
	if err != nil {
		return Person{}, fmt.Errorf("accept invitation: %w", err)
	}
	if err := d.know(ctx, w, r, person.ID); err != nil {
		return Person{}, err
	}
	return d.begin(w, r, person.ID, "invitation", false)
}

// invited returns whom the code with that hash invites, which r brings. The error is [ErrNoInvitation], or [*TooManyTries]
// of the network that r comes from.
func (d *Desk) invited(r *http.Request, hash []byte) (queries.Person, error) {
	right, err := d.attempts.begin(time.Now(), networkGuesses.of(d.network(r)))
	if err != nil {
		return queries.Person{}, err
	}
	row, err := d.db.Invited(r.Context(), hash)
	if errors.Is(err, store.ErrNotFound) {
		return queries.Person{}, d.failed(r.Context(), audit.Event{Act: audit.Enrol, Code: "invitation"}, ErrNoInvitation)
	}
	right()
	if err != nil {
		return queries.Person{}, fmt.Errorf("look up invitation: %w", err)
	}
	return row.Person, nil
}
