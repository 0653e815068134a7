package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// deviceLifetime is for how long a browser is known that nobody signs in with.
const deviceLifetime = 365 * 24 * time.Hour

// device returns the hash of the secret by which a browser is known; nil: it has none.
func (d *Desk) device(r *http.Request) []byte {
	cookie, err := r.Cookie(d.cookies.Cookie.Name + "-device")
	if err != nil {
		return nil
	}
	sum := sha256.Sum256([]byte(cookie.Value))
	return sum[:]
}

// knows returns the hash of the secret of the browser that sent r if that person has signed in with it, or nil. It asks about
// nobody as about somebody, so that time does not tell.
func (d *Desk) knows(r *http.Request, person uuid.UUID) ([]byte, error) {
	hash := d.device(r)
	if hash == nil {
		return nil, nil
	}
	known, err := d.db.DeviceKnown(r.Context(), hash, person)
	if err != nil {
		return nil, fmt.Errorf("look up the browser: %w", err)
	}
	if !known {
		return nil, nil
	}
	return hash, nil
}

// know notes that a person has signed in with the browser that sent r, which gets a secret if it has none. The secret
// lets nobody in; see attempts.
func (d *Desk) know(ctx context.Context, w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	hash := d.device(r)
	if hash == nil {
		secret := make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		value := base64.RawURLEncoding.EncodeToString(secret)
		like := d.cookies.Cookie
		http.SetCookie(w, &http.Cookie{
			Name: like.Name + "-device", Value: value, Path: "/", MaxAge: int(deviceLifetime.Seconds()),
			Secure: like.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		})
		sum := sha256.Sum256([]byte(value))
		hash = sum[:]
	}
	if err := d.db.KnowDevice(ctx, hash, person); err != nil {
		return fmt.Errorf("note the browser: %w", err)
	}
	return nil
}
