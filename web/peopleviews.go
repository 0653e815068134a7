package web

import (
	"context"
	"strings"
	"time"

	"github.com/clisonix/tidechart/web/words"
)

// Account is a person as who administers sees them.
type Account struct {
	Person
	Unit         string    // id, may be empty
	Covers       string    // ids of other units
	Supervisor   string    // a username, may be empty
	Suspended    bool      // lets them in no more
	HasWay       bool      // they can sign in
	InvitedUntil time.Time // zero: no invitation is open
	Program      bool      // a service account, which has tokens
}

// state says in a word or two whether somebody can sign in, and for those of
// whom that is to be seen at once in which kind of badge.
func (a Account) state(ctx context.Context) (text, variant string) {
	switch {
	case a.Suspended:
		return words.Say(ctx, "Suspended"), "destructive"
	case a.Program:
		return words.Say(ctx, "Program"), "secondary"
	case !a.InvitedUntil.IsZero():
		return words.Say(ctx, "Invited"), "outline"
	case !a.HasWay:
		return words.Say(ctx, "Cannot sign in"), "outline"
	default:
		return words.Say(ctx, "Active"), "secondary"
	}
}

// path is the page about somebody, or what is done there.
func (a Account) path(what string) string { return "/admin/people/" + a.ID + what }

// PeopleView lists people, by username.
type PeopleView struct {
	Shell
	Query string // the filter as typed
	Role  string // "" for all
	Roles []string
	Rows  []Account
	// Next is the id of whom the list goes on after; empty: it does not.
	Next string
	// Later says that this is not the beginning of the list.
	Later bool
}

// NewPersonView is the form by which somebody is added. After a refusal it is
// shown again (status 422) with Error and what was typed.
type NewPersonView struct {
	Shell
	Username, Name, Role, Unit, Supervisor string
	// Error is one sentence for who administers: what was wrong, what to do.
	Error string
	Roles []string
	Units []Choice
}

// InvitationView shows the code by which somebody begins, once.
type InvitationView struct {
	Shell
	Account
	Code    string
	Until   time.Time
	Address string // of the page that takes the code
}

// PersonView is the page about one person. What is changed is changed by its
// forms, which it has only for who may.
type PersonView struct {
	Shell
	Account
	// Error is one sentence for who administers: what was not done, and why.
	Error string
	// Done is one sentence, too: what was.
	Done string
	// Self says that it is about who looks at it, and Fresh that they have just
	// proven who they are; without that there is no form.
	Self, Fresh bool
	// Epoch goes round through the form, so that nobody overwrites what they
	// have not seen.
	Epoch string
	Roles []string
	Units []Choice

	Shifts []Shift

	HasPassword bool
	Codes       bool   // an app makes codes that go with the password
	Recovery    int    // codes that are left for when the app is lost
	Provider    string // whose account signs them in, too; empty: nobody's
	Passkeys    []PasskeyRow
	Logins      []LoginRow

	Scopes []Choice // that a program's token can have
	Tokens []TokenRow
}

// canChange says whether the page has forms.
func (v PersonView) canChange() bool { return v.Fresh && !v.Self }

// about says in a line who it is.
func (v PersonView) about(ctx context.Context) string {
	text := v.Account.Username + ", " + Named(ctx, v.Account.Role)
	if v.Unit != "" {
		text += ", " + v.Unit
	}
	return text
}

// factors says in words how somebody signs in.
func (v PersonView) factors(ctx context.Context) (all []string) {
	if v.HasPassword && v.Codes {
		all = append(all, words.Say(ctx, "password, with codes from an app ({recovery} left)", words.Count(ctx, v.Recovery, "{n} recovery code", "{n} recovery codes")))
	} else if v.HasPassword {
		all = append(all, words.Say(ctx, "password alone"))
	}
	if len(v.Passkeys) > 0 {
		all = append(all, words.Count(ctx, len(v.Passkeys), "{n} passkey", "{n} passkeys"))
	}
	if v.Provider != "" {
		all = append(all, v.Provider)
	}
	return all
}

// Shift is a unit on which somebody works for a time.
type Shift struct {
	Unit  string
	Until time.Time
}

// TokenRow is a token, without what proves anything.
type TokenRow struct {
	ID               string
	Label            string // may be empty
	Scopes           string // what a program's is for; empty: it speaks for a person
	Unit             string // may be empty
	Created, Expires time.Time
	Used             time.Time // to the hour; zero: never
	By               string    // who has issued it; empty: the operator
}

// name tells a token from others.
func (t TokenRow) name(ctx context.Context) string {
	if t.Label == "" {
		return words.Say(ctx, "without a label")
	}
	return t.Label
}

// IssuedTokenView shows a token, once.
type IssuedTokenView struct {
	Shell
	Account
	Token string
	Days  int
}

// UnitsView lists units, with a form to add one, or beds to one. After a
// refusal it is shown again (status 422) with Error and what was typed.
type UnitsView struct {
	Shell
	Fresh bool // as in [PersonView]
	Rows  []UnitRow

	ID, Name, Beds, Prefix string
	Error                  string
}

// UnitRow is a unit with its beds.
type UnitRow struct {
	ID, Name       string
	Beds, Patients int
}

// capital begins a sentence with what was in the middle of one.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
