package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

const (
	maxPasskeys    = 20 // that somebody may have
	maxPasskeyName = 40 // characters
)

// Why a passkey was not taken.
var (
	ErrPasskey         = errors.New("passkey refused")
	ErrTooManyPasskeys = errors.New("too many passkeys")
	ErrPasskeyName     = errors.New("a passkey cannot be called that")
)

// A Passkey is one of somebody's, as they see it.
type Passkey struct {
	ID            []byte
	Name          string
	Created, Used time.Time
	Synced        bool // a copy is kept elsewhere
}

// A Site is where browsers reach this server. Passkeys belong to its name, and answer to its origin alone.
type Site struct{ Name, Origin string }

// relyingParty asks for passkeys that their device finds by itself, and that their owner unlocks.
func (s Site) relyingParty() (*webauthn.WebAuthn, error) {
	limit := webauthn.TimeoutConfig{Enforce: true, Timeout: ceremonyLifetime, TimeoutUVD: ceremonyLifetime}
	required := true
	rp, err := webauthn.New(&webauthn.Config{
		RPID: s.Name, RPDisplayName: "Tidechart", RPOrigins: []string{s.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare for passkeys: %w", err)
	}
	return rp, nil
}

// Kinds of questions.
const (
	askToSignIn  = "passkey to sign in"
	askToConfirm = "passkey to confirm"
	askToAdd     = "passkey to add"
)

// passkeyQuestion is what an answer is compared with.
type passkeyQuestion struct {
	WebAuthn webauthn.SessionData
	Login    string // that asked, to confirm or to add one
	Code     []byte // hash of the invitation, to add the first
}

// owner is somebody with passkeys, as the library sees them.
type owner struct {
	queries.Person
	keys []webauthn.Credential
}

func (o *owner) WebAuthnID() []byte                         { return o.ID[:] }
func (o *owner) WebAuthnName() string                       { return o.Username }
func (o *owner) WebAuthnDisplayName() string                { return o.Name }
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// owner returns somebody with their passkeys.
func (d *Desk) owner(ctx context.Context, person uuid.UUID) (*owner, error) {
	row, err := d.db.PersonByID(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("look up person: %w", err)
	}
	keys, err := d.db.PasskeysOf(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("look up passkeys: %w", err)
	}
	o := &owner{Person: row}
	for _, k := range keys {
		key := webauthn.Credential{
			ID: k.ID, PublicKey: k.PublicKey,
			Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
			Authenticator: webauthn.Authenticator{AAGUID: k.Aaguid, SignCount: uint32(k.SignCount)},
		}
		for _, t := range k.Transports {
			key.Transport = append(key.Transport, protocol.AuthenticatorTransport(t))
		}
		o.keys = append(o.keys, key)
	}
	return o, nil
}

// AskForPasskey returns what the browser that sent r hands to a device, so that somebody signs in. It names nobody.
func (d *Desk) AskForPasskey(w http.ResponseWriter, r *http.Request, site Site) (*protocol.CredentialAssertion, error) {
	rp, err := site.relyingParty()
	if err != nil {
		return nil, err
	}
	options, question, err := rp.BeginDiscoverableLogin()
	if err != nil {
		return nil, fmt.Errorf("ask for passkey: %w", err)
	}
	return options, d.beginCeremony(w, r, askToSignIn, http.SameSiteStrictMode, passkeyQuestion{WebAuthn: *question})
}

// SignInByPasskey takes the answer and sets the cookie of a fresh login. The error is [ErrPasskey] or [ErrNoCeremony].
func (d *Desk) SignInByPasskey(w http.ResponseWriter, r *http.Request, site Site, answer []byte) (Person, error) {
	var question passkeyQuestion
	if err := d.takeCeremony(w, r, askToSignIn, &question); err != nil {
		return Person{}, err
	}
	var found *owner
	var broken error
	check := func(rp *webauthn.WebAuthn, a *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
		_, key, err := rp.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			person, err := uuid.FromBytes(handle)
			if err != nil {
				return nil, err
			}
			if found, err = d.owner(r.Context(), person); err != nil && !errors.Is(err, store.ErrNotFound) {
				broken = err
			}
			return found, err
		}, question.WebAuthn, a)
		return key, errors.Join(err, broken)
	}
	if err := d.usePasskey(r.Context(), site, answer, check); err != nil {
		return Person{}, d.failed(r.Context(), audit.Event{Act: audit.SignIn, Code: "passkey"}, cmp.Or(broken, err))
	}
	if err := d.know(r.Context(), w, r, found.ID); err != nil {
		return Person{}, err
	}
	return d.begin(w, r, found.ID, "passkey", true)
}

// AskToConfirm is [Desk.AskForPasskey] of somebody who is signed in: one of their own.
func (d *Desk) AskToConfirm(w http.ResponseWriter, r *http.Request, site Site, who Person) (*protocol.CredentialAssertion, error) {
	o, err := d.owner(r.Context(), who.ID)
	if err != nil {
		return nil, err
	}
	if len(o.keys) == 0 {
		return nil, ErrPasskey
	}
	rp, err := site.relyingParty()
	if err != nil {
		return nil, err
	}
	options, question, err := rp.BeginLogin(o)
	if err != nil {
		return nil, fmt.Errorf("ask for passkey: %w", err)
	}
	return options, d.beginCeremony(w, r, askToConfirm, http.SameSiteStrictMode, passkeyQuestion{WebAuthn: *question, Login: who.Login})
}

// ConfirmByPasskey is [Desk.Confirm] by the answer. The error is [ErrPasskey] or [ErrNoCeremony].
func (d *Desk) ConfirmByPasskey(w http.ResponseWriter, r *http.Request, site Site, who Person, answer []byte) error {
	var question passkeyQuestion
	if err := d.takeCeremony(w, r, askToConfirm, &question); err != nil {
		return err
	}
	if question.Login != who.Login {
		return ErrNoCeremony
	}
	o, err := d.owner(r.Context(), who.ID)
	if err != nil {
		return err
	}
	err = d.usePasskey(r.Context(), site, answer, func(rp *webauthn.WebAuthn, a *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
		return rp.ValidateLogin(o, question.WebAuthn, a)
	})
	if err != nil {
		return d.failed(r.Context(), audit.Event{Act: audit.Confirm, Code: "passkey"}, err)
	}
	return d.renew(w, r, who, "passkey", true)
}

// usePasskey checks an answer, and that no copy of the passkey has been used meanwhile.
func (d *Desk) usePasskey(ctx context.Context, site Site, answer []byte,
	check func(*webauthn.WebAuthn, *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error),
) error {
	rp, err := site.relyingParty()
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	key, err := check(rp, parsed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	if key.Authenticator.CloneWarning {
		return fmt.Errorf("%w: its count of signatures does not go on", ErrPasskey)
	}
	used, err := d.db.UsePasskey(ctx, int64(key.Authenticator.SignCount), key.Flags.BackupState, key.ID)
	if err != nil {
		return fmt.Errorf("note that a passkey is used: %w", err)
	}
	if used == 0 {
		return fmt.Errorf("%w: it is gone, or was used at the same time", ErrPasskey)
	}
	return nil
}

// AskForNewPasskey returns what the browser that sent r hands to a device, so that it makes a passkey of somebody who is
// signed in.
func (d *Desk) AskForNewPasskey(w http.ResponseWriter, r *http.Request, site Site, who Person) (*protocol.CredentialCreation, error) {
	o, err := d.owner(r.Context(), who.ID)
	if err != nil {
		return nil, err
	}
	if len(o.keys) >= maxPasskeys {
		return nil, ErrTooManyPasskeys
	}
	return d.askForNew(w, r, site, o, passkeyQuestion{Login: who.Login})
}

// AskForFirstPasskey is [Desk.AskForNewPasskey] of somebody whom code invites; else the error is [ErrNoInvitation], or
// [*TooManyTries].
func (d *Desk) AskForFirstPasskey(w http.ResponseWriter, r *http.Request, site Site, code string) (*protocol.CredentialCreation, error) {
	hash := hashOfCode(code)
	invited, err := d.invited(r, hash)
	if err != nil {
		return nil, err
	}
	return d.askForNew(w, r, site, &owner{Person: invited}, passkeyQuestion{Code: hash}) // those they had end with the invitation
}

func (d *Desk) askForNew(w http.ResponseWriter, r *http.Request, site Site, o *owner, q passkeyQuestion) (*protocol.CredentialCreation, error) {
	rp, err := site.relyingParty()
	if err != nil {
		return nil, err
	}
	options, question, err := rp.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.keys).CredentialDescriptors()))
	if err != nil {
		return nil, fmt.Errorf("ask for a new passkey: %w", err)
	}
	q.WebAuthn = *question
	return options, d.beginCeremony(w, r, askToAdd, http.SameSiteStrictMode, q)
}

// AddPasskey takes the new passkey of somebody who is signed in, and renews their login. Without a name it is called by the
// browser. The error is [ErrPasskey], [ErrPasskeyName] or [ErrNoCeremony].
func (d *Desk) AddPasskey(w http.ResponseWriter, r *http.Request, site Site, who Person, name string, answer []byte) error {
	name, err := passkeyName(cmp.Or(strings.TrimSpace(name), browserName(r.UserAgent())))
	if err != nil {
		return err
	}
	var question passkeyQuestion
	if err := d.takeCeremony(w, r, askToAdd, &question); err != nil {
		return err
	}
	if question.Login != who.Login {
		return ErrNoCeremony
	}
	if err := d.addPasskey(r, site, question, name, answer); err != nil {
		return err
	}
	return d.renew(w, r, who, "new passkey", true)
}

// EnrolByPasskey gives the person who was invited their first passkey, ends their other logins and ways to sign in, and
// signs them in. The error is [ErrNoInvitation], [*TooManyTries], [ErrPasskey] or [ErrNoCeremony].
func (d *Desk) EnrolByPasskey(w http.ResponseWriter, r *http.Request, site Site, answer []byte) (Person, error) {
	var question passkeyQuestion
	if err := d.takeCeremony(w, r, askToAdd, &question); err != nil {
		return Person{}, err
	}
	if question.Code == nil {
		return Person{}, ErrNoCeremony
	}
	if _, err := d.invited(r, question.Code); err != nil {
		return Person{}, err
	}
	if err := d.addPasskey(r, site, question, browserName(r.UserAgent()), answer); err != nil {
		return Person{}, err
	}
	person, err := uuid.FromBytes(question.WebAuthn.UserID)
	if err != nil {
		return Person{}, fmt.Errorf("read question: %w", err)
	}
	if err := d.know(r.Context(), w, r, person); err != nil {
		return Person{}, err
	}
	return d.begin(w, r, person, "invitation", true)
}

func (d *Desk) addPasskey(r *http.Request, site Site, q passkeyQuestion, name string, answer []byte) error {
	rp, err := site.relyingParty()
	if err != nil {
		return err
	}
	person, err := uuid.FromBytes(q.WebAuthn.UserID)
	if err != nil {
		return fmt.Errorf("read question: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	key, err := rp.CreateCredential(&owner{Person: queries.Person{ID: person}}, q.WebAuthn, parsed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPasskey, err)
	}
	row := queries.InsertPasskeyParams{
		ID: key.ID, PersonID: person, PublicKey: key.PublicKey, Aaguid: append([]byte{}, key.Authenticator.AAGUID...), Transports: []string{},
		SignCount: int64(key.Authenticator.SignCount), BackupEligible: key.Flags.BackupEligible, BackedUp: key.Flags.BackupState,
		Name: name,
	}
	for _, t := range key.Transport {
		row.Transports = append(row.Transports, string(t))
	}
	err = d.db.AddPasskey(r.Context(), q.Code, row)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return ErrNoInvitation // somebody else was faster
	case store.IsTaken(err):
		return fmt.Errorf("%w: there is one of that name", ErrPasskey)
	case err != nil:
		return fmt.Errorf("store passkey: %w", err)
	}
	return nil
}

// NamePasskey has one of somebody's called something else. The error is [ErrPasskeyName], or [store.ErrNotFound] if they
// have none such.
func (d *Desk) NamePasskey(ctx context.Context, who Person, id []byte, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	named, err := d.db.NamePasskey(ctx, name, id, who.ID)
	if err != nil {
		return fmt.Errorf("name passkey: %w", err)
	}
	if named == 0 {
		return store.ErrNotFound
	}
	return nil
}

// passkeyName is what a passkey is called if somebody calls it name, or [ErrPasskeyName].
func passkeyName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxPasskeyName || strings.ContainsFunc(name, unicode.IsControl) {
		return "", ErrPasskeyName
	}
	return name, nil
}

// RemovePasskey takes one from somebody. The error is [store.ErrNotFound] if they have none such, or [store.ErrLastWay].
func (d *Desk) RemovePasskey(ctx context.Context, who Person, id []byte) error {
	if err := d.db.RemovePasskey(ctx, who.ID, id); err != nil {
		return fmt.Errorf("remove passkey: %w", err)
	}
	return nil
}
