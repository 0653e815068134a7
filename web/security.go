package web

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// SecurityView is the page on which somebody sees how they sign in, and where
// they are signed in.
type SecurityView struct {
	Shell
	// Error is one sentence for the person: what was not done, and why.
	Error       string
	HasPassword bool
	Codes       bool   // an app makes codes that go with the password
	Recovery    int    // codes that are left for when the app is lost
	Provider    string // whose account signs them in, too; empty: nobody's
	Passkeys    []PasskeyRow
	OneWay      bool // whoever loses what they sign in with is locked out
	// PasswordChanged says that it was, just before.
	PasswordChanged bool
	// CanAddPasskey says that the address has a name; passkeys need one.
	CanAddPasskey bool
	Logins        []LoginRow // the newest first; one of them is This
}

// PasswordView is the page on which somebody chooses another password. After a
// refusal it is shown again (status 422) with Error.
type PasswordView struct {
	Shell
	Error       string
	MinPassword int // characters
}

// CodesView is the page on which somebody puts a secret into an app that makes
// codes. After a wrong code it is shown again (status 422) with Error.
type CodesView struct {
	Shell
	QR     QR
	URI    string // what the picture says
	Secret string // what to type where no picture can be read
	Error  string
	Next   string // the local path to go to afterwards; may be empty
	Back   string // the page they came from
}

// QR is a picture for cameras: a path in a square of that size, without the
// quiet zone around it.
type QR struct {
	Size int
	Path string
}

// RecoveryView shows codes that stand for one of the app, once.
type RecoveryView struct {
	Shell
	Codes []string
	Next  string // the local path to go to then
}

// SecondFactorView is the page on which somebody who has but a password gets
// more, because nothing else opens before that.
type SecondFactorView struct {
	Shell
	// Next is the local path to go to afterwards, as in LoginView.
	Next     string
	Passkeys bool // the address has a name; passkeys need one
}

// PasskeyRow is one of somebody's passkeys.
type PasskeyRow struct {
	ID            string
	Name          string // what its owner calls it, or where it was made, in words; empty: unknown
	Created, Used time.Time
	Synced        bool // a copy is kept elsewhere
}

// LoginRow is a browser at which somebody is signed in.
type LoginRow struct {
	ID          string
	Browser     string // in words; empty: unknown
	Began, Seen time.Time
	This        bool // the page is shown there
}

// quiet is how many modules around a QR code stay light, for cameras.
const quiet = 4

// box is the square of the picture, with its quiet zone.
func (q QR) box() string {
	return fmt.Sprintf("-%d -%d %d %d", quiet, quiet, q.Size+2*quiet, q.Size+2*quiet)
}

// left says how many recovery codes are.
func (v SecurityView) left(ctx context.Context) string {
	if v.Recovery == 1 {
		return words.Say(ctx, "1 recovery code is left.")
	}
	return words.Say(ctx, "{recovery} recovery codes are left.", strconv.Itoa(v.Recovery))
}

// name says which browser it is.
func (l LoginRow) name(ctx context.Context) string {
	if l.Browser == "" {
		return words.Say(ctx, "Another browser")
	}
	return Device(ctx, l.Browser)
}

// ending names the button that ends a login, to whoever does not see its row.
func (l LoginRow) ending(ctx context.Context) string {
	if l.This {
		return words.Say(ctx, "Sign out here")
	}
	return words.Say(ctx, "End the sign-in at {name}", l.name(ctx))
}

// name says where a passkey was made.
func (k PasskeyRow) name(ctx context.Context) string {
	if k.Name == "" {
		return words.Say(ctx, "another browser")
	}
	return k.Name
}
