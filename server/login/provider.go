package login

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

const (
	providerTimeout = 5 * time.Second // of each request to a provider
	clockSkew       = time.Minute     // by which its clock may be behind
)

// Why somebody whom a provider knows does not get in.
var (
	ErrProvider     = errors.New("the provider's answer is refused")
	ErrProviderAway = errors.New("the provider does not answer")
	ErrNotLinked    = errors.New("the provider's account does not belong to who is asked for")
)

// ProviderConfig is what the operator says of an OpenID Connect provider. Name is for people.
type ProviderConfig struct{ Issuer, ClientID, ClientSecret, Name string }

// A Provider is somebody else's server that says who people are. It is asked for what it offers when it is first needed:
// this server starts without it. Any number of goroutines may use it.
type Provider struct {
	config ProviderConfig
	client *http.Client
	found  atomic.Pointer[oidc.Provider]
}

// NewProvider returns a provider and asks it nothing yet.
func NewProvider(c ProviderConfig) *Provider {
	return &Provider{config: c, client: &http.Client{Timeout: providerTimeout}}
}

// Name is what people call it.
func (p *Provider) Name() string { return p.config.Name }

// discover asks for the provider's endpoints and keys, once.
func (p *Provider) discover(ctx context.Context) (*oidc.Provider, error) {
	if found := p.found.Load(); found != nil {
		return found, nil
	}
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProviderAway, err)
	}
	p.found.Store(found)
	return found, nil
}

// oauth is the provider as the library speaks to it; answers go to back.
func (p *Provider) oauth(found *oidc.Provider, back string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(), RedirectURL: back, Scopes: []string{oidc.ScopeOpenID},
	}
}

// askProvider is the kind of a question that a provider answers.
const askProvider = "provider"

// A Purpose is why somebody is sent to a provider.
type Purpose string

// The purposes.
const (
	ToSignIn  Purpose = "sign in"
	ToConfirm Purpose = "confirm"
	ToEnrol   Purpose = "enrol"
)

// providerQuestion is what an answer is compared with.
type providerQuestion struct {
	State, Nonce, Verifier string
	Purpose                Purpose
	Next                   string
	Login                  string // that asked: the browser does not show its cookie when it comes from another site
	Code                   []byte // hash of the invitation, to enrol
	Asked                  time.Time
}

// AskProvider returns the address at which the provider says who is there, and then sends them back. who is signed in at
// that browser, if somebody is; code is of use to enrol: one that does not count is [ErrNoInvitation], or [*TooManyTries].
// next comes out of [Desk.AnswerOfProvider] again.
func (d *Desk) AskProvider(w http.ResponseWriter, r *http.Request, p *Provider, back string, why Purpose, who Person, code, next string) (string, error) {
	q := providerQuestion{
		State: newSecret(), Nonce: newSecret(), Verifier: oauth2.GenerateVerifier(), Purpose: why, Next: next, Login: who.Login,
		Asked: time.Now(),
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(q.Nonce), oauth2.S256ChallengeOption(q.Verifier)}
	switch why {
	case ToConfirm:
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	case ToEnrol:
		q.Code = hashOfCode(code)
		if _, err := d.invited(r, q.Code); err != nil {
			return "", err
		}
	}
	found, err := p.discover(r.Context())
	if err != nil {
		return "", err
	}
	// The answer comes from another site: Lax lets the cookie come along.
	if err := d.beginCeremony(w, r, askProvider, http.SameSiteLaxMode, q); err != nil {
		return "", err
	}
	return p.oauth(found, back).AuthCodeURL(q.State, options...), nil
}

// account is somebody as a provider knows them.
type account struct {
	Issuer, Subject string
	Session         string    // what the provider calls this sign-in; may be empty
	At              time.Time // when they proved who they are, there; zero: it does not say
}

// An Answer is what has come of a question to a provider: who is signed in now at the browser that was asked there, why
// it was, and where it was to go next.
type Answer struct {
	Person  Person
	Purpose Purpose
	Next    string
}

// AnswerOfProvider takes what the provider sent a browser back with, and does what it was asked for. The error is [ErrNoCeremony], [ErrProvider], [ErrNotLinked] or [ErrNoInvitation].
func (d *Desk) AnswerOfProvider(w http.ResponseWriter, r *http.Request, p *Provider, back string) (Answer, error) {
	var q providerQuestion
	if err := d.takeCeremony(w, r, askProvider, &q); err != nil {
		return Answer{}, err
	}
	who, err := p.account(r, back, q)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Purpose: q.Purpose, Next: q.Next}
	if q.Purpose == ToConfirm {
		answer.Person, err = d.confirmElsewhere(w, r, who, q)
		return answer, err
	}
	person, err := d.personElsewhere(r.Context(), who, q)
	if err != nil {
		return Answer{}, d.failed(r.Context(), audit.Event{Act: audit.SignIn, Code: "provider"}, err)
	}
	if old, err := uuid.Parse(q.Login); err == nil { // nobody goes on as whoever was there before
		if err := d.db.EndLoginNamed(r.Context(), old); err != nil {
			return Answer{}, fmt.Errorf("end the login before: %w", err)
		}
	}
	answer.Person, err = d.beginFrom(w, r, person, who, "provider", true)
	return answer, err
}

// personElsewhere returns whom an account belongs to, or gives it to whom an invitation is for.
func (d *Desk) personElsewhere(ctx context.Context, who account, q providerQuestion) (uuid.UUID, error) {
	if q.Purpose == ToEnrol {
		person, err := d.db.Link(ctx, q.Code, who.Issuer, who.Subject)
		switch {
		case errors.Is(err, store.ErrNotFound):
			err = ErrNoInvitation
		case store.IsTaken(err):
			err = ErrNotLinked // but to a colleague
		case err != nil:
			err = fmt.Errorf("link account: %w", err)
		}
		return person.ID, err
	}
	row, err := d.db.PersonByIdentity(ctx, who.Issuer, who.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return uuid.Nil, ErrNotLinked
	}
	if err != nil {
		return uuid.Nil, fmt.Errorf("look up account: %w", err)
	}
	return row.Person.ID, nil
}

// confirmElsewhere renews the login that asked, if its person has just proven to the provider who they are.
func (d *Desk) confirmElsewhere(w http.ResponseWriter, r *http.Request, who account, q providerQuestion) (Person, error) {
	now, err := d.Again(r.Context(), Person{Login: q.Login})
	if err != nil {
		return Person{}, err
	}
	if owner, err := d.personElsewhere(r.Context(), who, q); err != nil || owner != now.ID {
		return Person{}, d.failed(r.Context(), audit.Event{Act: audit.Confirm, Who: now.ID, Code: "provider"}, cmp.Or(err, ErrNotLinked))
	}
	if who.At.Before(q.Asked.Add(-clockSkew)) {
		return Person{}, fmt.Errorf("%w: it did not ask who is there", ErrProvider)
	}
	return now, d.renewFrom(w, r, now, "provider", who.At, true)
}

// account trades the code for what the provider says about who is there, and believes it only if all of it fits.
func (p *Provider) account(r *http.Request, back string, q providerQuestion) (account, error) {
	answer := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(q.State)) != 1 {
		return account{}, fmt.Errorf("%w: it answers another question", ErrProvider)
	}
	if answer.Has("error") || answer.Has("iss") && answer.Get("iss") != p.config.Issuer {
		return account{}, fmt.Errorf("%w: it says no, or is another", ErrProvider)
	}
	ctx := oidc.ClientContext(r.Context(), p.client)
	found, err := p.discover(ctx)
	if err != nil {
		return account{}, err
	}
	tokens, err := p.oauth(found, back).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(q.Verifier))
	if err != nil {
		var said *oauth2.RetrieveError // the rest of the error may quote all that the provider answered
		_ = errors.As(err, &said)
		return account{}, fmt.Errorf("%w: the code is worth nothing: %s", ErrProvider, codeOf(said))
	}
	raw, _ := tokens.Extra("id_token").(string)
	token, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return account{}, fmt.Errorf("%w: its token does not hold: %w", ErrProvider, err)
	}
	var claims struct {
		Session string `json:"sid"`
		Party   string `json:"azp"`
		At      int64  `json:"auth_time"`
	}
	if err := token.Claims(&claims); err != nil {
		return account{}, fmt.Errorf("%w: its token cannot be read", ErrProvider)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(q.Nonce)) != 1:
		return account{}, fmt.Errorf("%w: its token is for another question", ErrProvider)
	case token.Subject == "", len(token.Audience) > 1 && claims.Party == "", claims.Party != "" && claims.Party != p.config.ClientID:
		return account{}, fmt.Errorf("%w: its token is for somebody else", ErrProvider)
	}
	a := account{Issuer: token.Issuer, Subject: token.Subject, Session: claims.Session}
	if claims.At > 0 {
		if a.At = time.Unix(claims.At, 0); a.At.After(time.Now()) {
			a.At = time.Now()
		}
	}
	return a, nil
}

// codeOf is the provider's word for a refusal.
func codeOf(e *oauth2.RetrieveError) string {
	if e == nil || len(e.ErrorCode) > 64 {
		return "no answer that can be read"
	}
	return e.ErrorCode
}

// Linked reports whether somebody has an account at a provider that stands for them here.
func (d *Desk) Linked(ctx context.Context, p *Provider, who Person) (bool, error) {
	linked, err := d.db.IsLinked(ctx, who.ID, p.config.Issuer)
	if err != nil {
		return false, fmt.Errorf("look up account: %w", err)
	}
	return linked, nil
}

// EndFromProvider ends the logins that a provider's logout token is about. The error is [ErrProvider], also for a token
// that came before.
func (d *Desk) EndFromProvider(ctx context.Context, p *Provider, raw string) (ended int64, err error) {
	ctx = oidc.ClientContext(ctx, p.client)
	found, err := p.discover(ctx)
	if err != nil {
		return 0, err
	}
	token, err := found.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID}).VerifyLogout(ctx, raw)
	if err != nil {
		return 0, fmt.Errorf("%w: its logout token does not hold: %w", ErrProvider, err)
	}
	once := sha256.Sum256([]byte("logout token " + token.Issuer + " " + token.TokenID))
	taken, err := d.db.TakeOnce(ctx, once[:], token.Expiry)
	if err != nil {
		return 0, fmt.Errorf("note logout token: %w", err)
	}
	if taken == 0 {
		return 0, fmt.Errorf("%w: its logout token came before", ErrProvider)
	}
	err = d.db.Act(ctx, &audit.Event{Act: audit.SignOut, Code: "at the provider"}, func(q *queries.Queries) (err error) {
		ended, err = q.EndLoginsFrom(ctx, token.Issuer, token.Subject, token.SessionID)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end logins: %w", err)
	}
	return ended, nil
}
