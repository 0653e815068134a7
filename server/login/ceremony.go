package login

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
)

// ceremonyLifetime is how long a browser has to answer what it was asked to prove.
const ceremonyLifetime = 5 * time.Minute

// ErrNoCeremony means that a browser answers what it was not asked, or was asked too long ago, or has answered before.
var ErrNoCeremony = errors.New("nothing was asked of this browser, or too long ago")

// beginCeremony keeps what the answer to a question of that kind is compared with, and binds it to the browser by a cookie.
// What the browser was asked before it need not answer any more.
func (d *Desk) beginCeremony(w http.ResponseWriter, r *http.Request, kind string, mode http.SameSite, question any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("write question: %w", err)
	}
	secret := newSecret()
	hash := sha256.Sum256([]byte(secret))
	err = d.db.BeginCeremony(r.Context(), queries.BeginCeremonyParams{
		Hash: hash[:], Kind: kind, Data: data, ExpiresAt: time.Now().Add(ceremonyLifetime),
	})
	if err != nil {
		return fmt.Errorf("store question: %w", err)
	}
	http.SetCookie(w, d.ceremonyCookie(secret, int(ceremonyLifetime.Seconds()), mode))
	return nil
}

// takeCeremony reads what the browser that sent r was asked, once; else the error is [ErrNoCeremony].
func (d *Desk) takeCeremony(w http.ResponseWriter, r *http.Request, kind string, question any) error {
	cookie, err := r.Cookie(d.ceremonyCookie("", 0, 0).Name)
	if err != nil {
		return ErrNoCeremony
	}
	http.SetCookie(w, d.ceremonyCookie("", -1, http.SameSiteStrictMode))
	hash := sha256.Sum256([]byte(cookie.Value))
	data, err := d.db.TakeCeremony(r.Context(), hash[:], kind)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoCeremony
	}
	if err == nil {
		err = json.Unmarshal(data, question)
	}
	if err != nil {
		return fmt.Errorf("look up question: %w", err)
	}
	return nil
}

func (d *Desk) ceremonyCookie(secret string, maxAge int, mode http.SameSite) *http.Cookie {
	like := d.cookies.Cookie
	return &http.Cookie{
		Name: like.Name + "-ceremony", Value: secret, Path: "/", MaxAge: maxAge, Secure: like.Secure, HttpOnly: true, SameSite: mode,
	}
}
