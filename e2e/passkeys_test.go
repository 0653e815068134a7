package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// named is the server under the name of this machine: passkeys belong to names, and 127.0.0.1 is none.
func (s *server) named() *server {
	other := *s
	other.url = strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	return &other
}

// addDevice gives the window a device that keeps passkeys, and whose owner is there and unlocks it.
func (w *window) addDevice(transport webauthn.AuthenticatorTransport) webauthn.AuthenticatorID {
	w.t.Helper()
	if _, err := chromedp.Call(w.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		w.t.Fatal(err)
	}
	added, err := chromedp.Call(w.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: transport,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return added.AuthenticatorID
}

// TestPasskey: somebody who was invited makes one, signs in with it, adds a second on another device, and keeps one.
func TestPasskey(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	out, err := s.command(t.Context(), "user", "add", "duarte", "--name", "Ines Duarte RN", "--role", "nurse", "--unit", "4-west", "--data", s.data)
	if err != nil {
		t.Fatal(err)
	}
	w := openWindow(t, s.named(), "duarte")
	phone := w.addDevice(webauthn.AuthenticatorTransportInternal)
	press := func(kind string) {
		t.Helper()
		w.waitFor("the button", exists(`[data-passkey="`+kind+`"]:not([hidden])`))
		w.do(chromedp.Click(chromedp.CSS(`[data-passkey="` + kind + `"] button`)))
	}
	lead := func(kind string) { // to another page
		t.Helper()
		w.waitFor("the button", exists(`[data-passkey="`+kind+`"]:not([hidden])`))
		w.submit(`[data-passkey="` + kind + `"] button`)
	}
	keys := func(n string) string { return `document.querySelectorAll('#passkeys tbody tr').length === ` + n }

	w.visit("/login")
	press("sign-in")
	w.waitFor("being told that there is none", `document.querySelector('[data-passkey] .refusal').textContent.includes('No passkey was used')`)

	w.visit("/enrol")
	w.allow("422")
	press("enrol")
	w.waitFor("being told to type the code", `document.querySelector('[data-passkey] .refusal').textContent.includes('does not work')`)
	w.do(chromedp.SetValue(chromedp.CSS(`#code`), regexp.MustCompile(`^\S+`).FindString(out)))
	lead("enrol")
	w.waitFor("her own page", keys("1"))
	w.shot("security")

	w.allow("401 (Unauthorized) (" + s.named().url + "/events") // her page's stream has ended, and may ask once more before the page goes
	w.submit(`form[action="/logout"] button`)
	lead("sign-in")
	w.waitFor("the worklist", exists("#worklist"))

	w.visit("/security")
	w.allow("409")
	w.submit(`#passkeys .end button`)
	w.waitFor("the last way in to stay", exists("#security-error"))

	w.visit("/security")
	press("add") // on the device that has one
	w.waitFor("being told to use another", `document.querySelector('[data-passkey] .refusal').textContent.includes('another device')`)
	if _, err := chromedp.Call(w.ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: phone}); err != nil {
		t.Fatal(err)
	}
	w.addDevice(webauthn.AuthenticatorTransportUsb)
	w.do(chromedp.SetValue(chromedp.CSS(`#new-name`), "Key on my ring"))
	lead("add")
	w.waitFor("both", keys("2")+` && document.querySelector('#passkeys').innerText.includes('Key on my ring')`)
	w.do(
		chromedp.Click(chromedp.CSS(`#passkeys tbody tr:first-child summary`)),
		chromedp.SetValue(chromedp.CSS(`#passkeys tbody tr:first-child input[name=name]`), "My phone"),
	)
	for _, scheme := range []string{"dark", "light"} {
		w.colorScheme(scheme)
		w.shot("security-rename-" + scheme)
	}
	w.submit(`#passkeys tbody tr:first-child details button`)
	w.waitFor("its name", `document.querySelector('#passkeys tbody tr:first-child').innerText.includes('My phone')`)
	w.submit(`#passkeys .end button`)
	w.waitFor("one", keys("1"))

	w.visit("/confirm?next=%2Funits%2F4-west")
	lead("confirm")
	w.waitFor("going on where she was", `location.pathname === '/units/4-west'`)
}

// TestSecondFactor: where a password alone is not enough, whoever signs in with one is led to make a passkey, and then to
// where they wanted to go; the next time it is asked for.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--second-factor=all")
	w := openWindow(t, s.named(), "rivera")
	w.addDevice(webauthn.AuthenticatorTransportInternal)
	signIn := func() {
		t.Helper()
		w.visit("/login?next=%2Funits%2F4-west")
		w.do(
			chromedp.SetValue(chromedp.CSS(`#username`), "rivera"),
			chromedp.SendKeys(chromedp.CSS(`#password`), password),
		)
		w.submit(`form[action="/login"] button`)
	}
	for _, kind := range []string{"add", "confirm"} {
		signIn()
		w.waitFor("the button", exists(`[data-passkey="`+kind+`"]:not([hidden])`))
		w.shot("second-factor-" + kind)
		w.submit(`[data-passkey="` + kind + `"] button`)
		w.waitFor("where she wanted to go", `location.pathname === '/units/4-west'`)
		w.allow("401 (Unauthorized) (" + s.named().url + "/units/4-west/events") // as above
		w.submit(`form[action="/logout"] button`)
	}
}
