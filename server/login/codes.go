package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// Codes as RFC 6238 has them, and as every app makes them.
const (
	codeEvery     = 30               // seconds of a step
	codeSkew      = 1                // steps that a clock may be off
	codeSecret    = 20               // bytes
	pendingFor    = 10 * time.Minute // that a new secret is shown, until a code of it is right
	recoveryCodes = 10
)

// ErrNoApp means that there is no app to accept, or to make recovery codes for.
var ErrNoApp = errors.New("no app for codes")

// An App is what makes an app for codes somebody's.
type App struct {
	URI    string // otpauth://…, for a picture that the app reads
	Secret string // the same for whoever types it, in groups of four
}

var plainBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// BeginCodes makes a secret for an app of somebody; [Desk.PendingApp] shows it. One that they have counts until a code of the
// new one is right.
func (d *Desk) BeginCodes(ctx context.Context, who Person) error {
	secret := make([]byte, codeSecret)
	_, _ = rand.Read(secret) // never fails
	if err := d.db.BeginApp(ctx, who.ID, secret); err != nil {
		return fmt.Errorf("store secret of app: %w", err)
	}
	return nil
}

// PendingApp returns what to put into somebody's app, or [ErrNoApp] if they have not begun, or too long ago.
func (d *Desk) PendingApp(ctx context.Context, who Person) (App, error) {
	app, err := d.pending(ctx, who.ID)
	if err != nil {
		return App{}, err
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Tidechart", AccountName: who.Username, Secret: app.Secret})
	if err != nil {
		return App{}, errors.New("write address of app") // the library's error may quote the secret
	}
	return App{URI: key.URL(), Secret: inFours(key.Secret(), " ")}, nil
}

func (d *Desk) pending(ctx context.Context, person uuid.UUID) (store.PendingApp, error) {
	app, err := d.db.PendingApp(ctx, person)
	if errors.Is(err, store.ErrNotFound) || err == nil && time.Since(app.Begun) > pendingFor {
		return store.PendingApp{}, ErrNoApp
	}
	if err != nil {
		return store.PendingApp{}, fmt.Errorf("look up app: %w", err)
	}
	return app, nil
}

// AcceptCodes takes the pending app into use if code is one of its, renews the login that asks, and returns recovery codes,
// of which only hashes are kept. The error is [ErrWrongPassword], [ErrNoApp] or [*TooManyTries].
func (d *Desk) AcceptCodes(w http.ResponseWriter, r *http.Request, who Person, code string) (recovery []string, err error) {
	ctx := r.Context()
	app, err := d.pending(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	right, err := d.attempts.begin(time.Now(), confirmGuesses.of(who.Login))
	if err != nil {
		return nil, err
	}
	step, ok := stepOf(app.Secret, digits(code), time.Now())
	if !ok {
		return nil, ErrWrongPassword
	}
	right()
	recovery, hashes := newRecoveryCodes()
	accepted, err := d.db.AcceptApp(ctx, who.ID, app, step, hashes)
	if err != nil {
		return nil, fmt.Errorf("accept app: %w", err)
	}
	if !accepted {
		return nil, ErrNoApp // begun anew meanwhile
	}
	return recovery, d.renew(w, r, who, "code", true)
}

// NewRecoveryCodes replaces somebody's recovery codes. The error is [ErrNoApp] if they need none.
func (d *Desk) NewRecoveryCodes(ctx context.Context, who Person) ([]string, error) {
	recovery, hashes := newRecoveryCodes()
	e := audit.Event{Act: audit.ChangeSignIn, About: who.ID, Code: "recovery codes"}
	err := d.db.Act(ctx, &e, func(q *queries.Queries) error {
		n, err := q.ReplaceRecoveryCodes(ctx, hashes, who.ID)
		if err == nil && n == 0 {
			err = ErrNoApp
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store recovery codes: %w", err)
	}
	return recovery, nil
}

// StopCodes lets somebody sign in without codes again.
func (d *Desk) StopCodes(ctx context.Context, who Person) error {
	e := audit.Event{Act: audit.ChangeSignIn, About: who.ID, Code: "app removed"}
	if err := d.db.Act(ctx, &e, func(q *queries.Queries) error { return q.DeleteTOTP(ctx, who.ID) }); err != nil {
		return fmt.Errorf("remove app: %w", err)
	}
	return nil
}

func newRecoveryCodes() (plain []string, hashes [][]byte) {
	for range recoveryCodes {
		code := newCode()
		plain, hashes = append(plain, code), append(hashes, hashOfCode(code))
	}
	return plain, hashes
}

// checkCode returns [ErrWrongPassword] unless somebody has no app, or code is one that it makes now and that was not used
// before, or one of their recovery codes, which is used up: then they have shown more than a password. tries are what a
// wrong one counts for.
func (d *Desk) checkCode(ctx context.Context, person uuid.UUID, code string, tries []count) (more bool, err error) {
	secret, err := d.db.AppSecret(ctx, person)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up app: %w", err)
	}
	right, err := d.attempts.begin(time.Now(), tries...)
	if err != nil {
		return false, err
	}
	used := int64(0)
	if short := digits(code); len(short) == otp.DigitsSix.Length() {
		if step, ok := stepOf(secret, short, time.Now()); ok {
			used, err = d.db.UseTOTP(ctx, step, person)
		}
	} else {
		used, err = d.db.UseRecoveryCode(ctx, person, hashOfCode(code))
	}
	if err != nil {
		return false, fmt.Errorf("use code: %w", err)
	}
	if used == 0 {
		return false, ErrWrongPassword
	}
	right()
	return true, nil
}

// stepOf returns the step at or beside now whose code it is.
func stepOf(secret []byte, code string, now time.Time) (step int64, ok bool) {
	at := now.Unix() / codeEvery
	for step := at - codeSkew; step <= at+codeSkew; step++ {
		want, err := hotp.GenerateCodeCustom(plainBase32.EncodeToString(secret), uint64(step),
			hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// digits is a code without the space that apps show in its middle.
func digits(code string) string { return strings.ReplaceAll(strings.TrimSpace(code), " ", "") }

// inFours parts text so that people can read it out.
func inFours(text, between string) string {
	var parts []string
	for ; len(text) > 4; text = text[4:] {
		parts = append(parts, text[:4])
	}
	return strings.Join(append(parts, text), between)
}
