package e2e

import (
	"bufio"
	"bytes"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// startIssuer starts an OpenID Connect provider, npm's, that knows the server under that address, and returns its own.
func startIssuer(t *testing.T, tidechart string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "clients/issuer.mjs", port, tidechart)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("node 20 or newer is needed, with the packages of `npm ci`: %v", err)
	}
	ready := make(chan bool, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "ready" {
				ready <- true
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		in.Close()
		select {
		case <-done:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("the provider says:\n%s", stderr.String())
		}
	})
	select {
	case <-ready:
	case <-done:
		t.Fatalf("the provider ended:\n%s", stderr.String())
	case <-time.After(patience):
		t.Fatal("the provider is not ready")
	}
	return "http://127.0.0.1:" + port
}

// arrive waits for a page that several others lead to.
func (w *window) arrive(what, expression string) {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for err := w.tryFor(expression); err != nil; err = w.tryFor(expression) { // each page on the way ends a wait
		if time.Now().After(deadline) {
			w.t.Fatalf("%s's window waits for %s: %v\npage: %s", w.name, what, err, w.summary())
		}
	}
}

// TestProvider: somebody who was invited links her account at a real provider, is asked there again to confirm, and
// signs out there.
func TestProvider(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	public := "http://" + strings.Replace(s.addr, "127.0.0.1", "localhost", 1)
	issuer := startIssuer(t, public)
	startNewServer(t, s, "--public-url", public, "--oidc-issuer", issuer, "--oidc-client-id", "tidechart",
		"--oidc-client-secret", "only-for-tests", "--oidc-name", "St. Elsewhere")
	out, err := s.command(t.Context(), "user", "add", "duarte", "--name", "Ines Duarte RN", "--role", "nurse", "--unit", "4-west", "--data", s.data)
	if err != nil {
		t.Fatal(err)
	}
	w := openWindow(t, s.named(), "duarte")
	w.allow("fonts.googleapis.com", "favicon.ico") // which the provider's own pages ask for
	elsewhere := func(purpose string) string {
		return `form[action="/login/provider"]:has([value="` + purpose + `"]) button`
	}
	atIssuer := func(what string) {
		t.Helper()
		w.arrive(what, `location.origin === '`+issuer+`' && document.querySelector('form [type=submit]') !== null`)
	}
	w.visit("/login")
	w.submit(elsewhere("sign-in"))
	atIssuer("the provider")
	signInThere := func() {
		t.Helper()
		w.do(chromedp.SetValue(chromedp.CSS(`[name=login]`), "d-17"), chromedp.SetValue(chromedp.CSS(`[name=password]`), "x"))
		w.submit(`form [type=submit]`)
	}
	signInThere()
	atIssuer("being asked whether tidechart may know")
	w.allow("403")
	w.submit(`form [type=submit]`)
	w.arrive("not being let in", `location.pathname === '/login/provider/callback' && document.body.textContent.includes('not linked')`)

	w.visit("/enrol")
	w.do(chromedp.SetValue(chromedp.CSS(`#code-elsewhere`), regexp.MustCompile(`^\S+`).FindString(out)))
	w.submit(elsewhere("enrol"))
	w.arrive("her own page", `location.pathname === '/security' && document.body.textContent.includes('St. Elsewhere')`)

	w.visit("/confirm?next=%2Funits%2F4-west")
	w.submit(elsewhere("confirm"))
	atIssuer("being asked again who is there")
	signInThere()
	w.arrive("going on where she was", `location.pathname === '/units/4-west'`)

	w.do(chromedp.Navigate(issuer + "/session/end"))
	w.submit(`[name=logout]`)
	w.visit("/units/4-west")
	w.waitReloading("the sign-in page", exists(`#password`))
}
