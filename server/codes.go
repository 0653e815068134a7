package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// securityPath is where somebody changes how they sign in. Only who has just proven that it is them does.
const securityPath = "/security"

// changing is a page by which somebody changes how they sign in.
func (s *Server) changing(h personal) http.Handler { return s.changingAt(securityPath, h) }

// changingAt is such a page, to which back leads somebody who has to prove first who they are.
func (s *Server) changingAt(back string, h personal) http.Handler {
	return s.own(func(w http.ResponseWriter, r *http.Request, who login.Person) error {
		if err := justProven(who, back); err != nil {
			return err
		}
		return h(w, r, who)
	})
}

// beginCodes makes a secret for somebody's app, and leads to the page that shows it.
func (s *Server) beginCodes(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := s.desk.BeginCodes(r.Context(), who); err != nil {
		return err
	}
	to := "/security/codes"
	if next := localPath(r.PostFormValue("next")); next != "" {
		to += "?next=" + url.QueryEscape(next)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (s *Server) codesPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	return s.showCodes(w, r, who, http.StatusOK, "")
}

// showCodes shows the secret that waits for a first code, which is never shown again after that.
func (s *Server) showCodes(w http.ResponseWriter, r *http.Request, who login.Person, status int, says string) error {
	app, err := s.desk.PendingApp(r.Context(), who)
	if errors.Is(err, login.ErrNoApp) {
		return toSecurity(w, r)
	}
	if err != nil {
		return err
	}
	next, back := localPath(r.FormValue("next")), securityPath
	if who.Weak {
		back = factorPath(next)
	}
	picture, err := qrCode(app.URI)
	if err != nil {
		return err
	}
	view := web.CodesView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Codes from an app"), web.SectionNone), URI: app.URI, Secret: app.Secret, QR: picture, Error: says,
		Next: next, Back: back,
	}
	s.render(w, r, status, web.Codes(view))
	return nil
}

// acceptCodes takes the app into use, and shows recovery codes, once.
func (s *Server) acceptCodes(w http.ResponseWriter, r *http.Request, who login.Person) error {
	recovery, err := s.desk.AcceptCodes(w, r, who, r.PostFormValue("code"))
	if errors.Is(err, login.ErrNoApp) {
		return toSecurity(w, r)
	}
	if err != nil {
		status, says := refusedTry(r.Context(), w, err)
		if says == "" {
			return err
		}
		if status == http.StatusUnauthorized {
			status, says = http.StatusUnprocessableEntity, words.Say(r.Context(), "This is not what the app should show now. Check that the clock of its device is right, and type the newest code.")
		}
		return s.showCodes(w, r, who, status, says)
	}
	next := localPath(r.PostFormValue("next"))
	if who.Weak {
		who.Weak = false
		if next, err = s.destination(r, who, next); err != nil {
			return err
		}
	}
	return s.showRecovery(w, r, who, recovery, next)
}

func (s *Server) showRecovery(w http.ResponseWriter, r *http.Request, who login.Person, codes []string, next string) error {
	s.render(w, r, http.StatusOK, web.Recovery(web.RecoveryView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "Recovery codes"), web.SectionNone), Codes: codes, Next: cmp.Or(next, securityPath),
	}))
	return nil
}

func (s *Server) newRecoveryCodes(w http.ResponseWriter, r *http.Request, who login.Person) error {
	codes, err := s.desk.NewRecoveryCodes(r.Context(), who)
	if errors.Is(err, login.ErrNoApp) {
		return toSecurity(w, r)
	}
	if err != nil {
		return err
	}
	return s.showRecovery(w, r, who, codes, securityPath)
}

func (s *Server) stopCodes(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if last, err := s.desk.LeavesOne(r.Context(), who); err != nil || last {
		return cmp.Or(err, s.showSecurity(w, r, who, http.StatusConflict, words.Say(r.Context(), lastFactor)))
	}
	if err := s.desk.StopCodes(r.Context(), who); err != nil {
		return err
	}
	return toSecurity(w, r)
}

// qrCode draws text as one path of an SVG, a module of the code a unit wide.
func qrCode(text string) (web.QR, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return web.QR{}, errors.New("draw QR code") // the library's error quotes the text
	}
	return web.QR{Size: code.Bounds().Dx(), Path: modules(code)}, nil
}

// modules is the path of a code's dark modules, run by run.
func modules(code barcode.Barcode) string {
	var path strings.Builder
	size := code.Bounds()
	dark := func(x, y int) bool { level, _, _, _ := code.At(x, y).RGBA(); return level == 0 }
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			from := x
			for x < size.Max.X && dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	return path.String()
}
