package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// hybrid is what browsers and this server agree on keys by.
const hybrid = "X25519MLKEM768"

// TestPostQuantumTLS: a server that demands it speaks with Chromium by X25519MLKEM768, as Chromium says itself, pages and sockets alike;
// the page, the log of acts and the metrics say so, too. Clients without such a group, or without TLS 1.3, are refused in the handshake. A
// certificate that takes the place of another is used by the next connection, while somebody goes on writing on the one they have.
func TestPostQuantumTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	metrics := freeAddr(t)
	s := startServer(t, "--tls-cert", cert, "--tls-key", key, "--tls-pq", "require", "--metrics-listen", metrics)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatalf("the server is at %s", s.url)
	}
	chen := openWindow(t, s, "chen")
	groups := chen.keyGroups()
	chen.signIn("chen", password)
	chen.waitFor("being signed in", exists(`form[action="/logout"]`))
	checkCookies(t, chen)
	note := s.newNote(t, s.token(t, "chen"))
	chen.openNote(note)
	chen.write("By TLS. ")

	seen := groups()
	if len(seen) != 1 || seen[hybrid+", TLS 1.3"] == 0 {
		t.Errorf("Chromium says that keys were agreed on by %v", seen)
	}
	if badge := eval[string](chen, `document.querySelector('.connection').dataset.state + ': ' + document.querySelector('.connection .sr-only').textContent`); badge != "post-quantum: Post-quantum connection" {
		t.Errorf("the page says %q", badge)
	}
	checkOrigins(t, s)
	checkGroupsOnRecord(t, s)
	checkRefusals(t, s)

	// Another certificate, while the socket is open.
	if n := serial(t, s); n != 1 {
		t.Fatalf("the certificate is number %d", n)
	}
	from := s.log.len()
	writeCertificate(t, cert, 2)
	if err := s.log.waitLine(from, "new certificate taken"); err != nil {
		t.Fatal(err)
	}
	if n := serial(t, s); n != 2 {
		t.Errorf("the next connection gets certificate %d", n)
	}
	if err := os.WriteFile(cert, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.log.waitLine(from, "the new certificate is not used; the one in memory stays in use"); err != nil {
		t.Fatal(err)
	}
	if n := serial(t, s); n != 2 {
		t.Errorf("after a broken one the next connection gets certificate %d", n)
	}
	chen.write("And on. ")
	if n := eval[int](chen, `window.sockets`); n != 1 {
		t.Errorf("the page has opened %d sockets, want the one of before", n)
	}
	_, figures := fetch(t, http.DefaultClient, "http://"+metrics+"/metrics")
	for _, line := range []string{
		`tidechart_tls_handshakes_total{group="X25519",post_quantum="false"} 0`, `tidechart_tls_certificates_taken_total 1`,
		`tidechart_tls_certificate_files_broken 1`, `tidechart_tls_handshake_failures_total{reason="no post-quantum group"} 1`,
		`tidechart_tls_handshake_failures_total{reason="no TLS 1.3"} 1`,
	} {
		if !strings.Contains(string(figures), line+"\n") {
			t.Errorf("the metrics have no %s:\n%s", line, linesWith(string(figures), "tidechart_tls"))
		}
	}
	for _, name := range []string{"tidechart_log_entries", "tidechart_log_waiting_acts", "tidechart_log_waiting_seconds", "tidechart_log_checkpoint_age_seconds"} {
		if !strings.Contains(string(figures), "\n"+name+" ") {
			t.Errorf("the metrics have no %s", name)
		}
	}
	if !strings.Contains(string(figures), `group="X25519MLKEM768",post_quantum="true"} `) || strings.Contains(string(figures), `group="X25519MLKEM768",post_quantum="true"} 0`) {
		t.Errorf("no handshake by %s is counted:\n%s", hybrid, linesWith(string(figures), "tidechart_tls"))
	}
	if said := linesWith(s.log.String(), "handshake"); strings.Contains(said, "127.0.0.1:") {
		t.Errorf("the log names addresses:\n%s", said)
	}
}

// keyGroups counts how the browser says that keys were agreed on, from now on. It counts the page's sockets, too.
func (w *window) keyGroups() (seen func() map[string]int) {
	w.t.Helper()
	w.onEachPage(`window.sockets = 0; window.WebSocket = class extends WebSocket { constructor(...a) { super(...a); window.sockets++ } }`)
	if _, err := chromedp.Call(w.ctx, network.Enable, network.EnableParams{}); err != nil {
		w.t.Fatal(err)
	}
	counted := make(map[string]int)
	err := chromedp.Listen(w.ctx, func(ev any) {
		got, is := ev.(*network.EventResponseReceived)
		if !is || !strings.HasPrefix(got.Response.URL, "http") {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if d := got.Response.SecurityDetails; d != nil {
			counted[d.KeyExchangeGroup+", "+d.Protocol]++
		} else if !got.Response.FromDiskCache {
			counted["none for "+got.Response.URL]++
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return func() map[string]int {
		w.mu.Lock()
		defer w.mu.Unlock()
		return counted
	}
}

// write types at the end of the note's first paragraph, and waits until that is committed.
func (w *window) write(text string) {
	w.t.Helper()
	w.caretAtEnd(0)
	if err := w.typeKeys(text); err != nil {
		w.t.Fatal(err)
	}
	w.waitContains(strings.TrimSpace(text))
	w.waitStatus("saved")
}

// client trusts whoever answers, and can do less than others if it is told so.
func client(as *tls.Config) *http.Client {
	as.InsecureSkipVerify = true
	return &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: as, DisableKeepAlives: true}}
}

// checkRefusals: who has no post-quantum group, or no TLS 1.3, is refused in the handshake, and nobody in the clear is heard.
func checkRefusals(t *testing.T, s *server) {
	t.Helper()
	for what, as := range map[string]*tls.Config{
		"handshake failure":              {CurvePreferences: []tls.CurveID{tls.X25519}},
		"protocol version not supported": {MaxVersion: tls.VersionTLS12},
	} {
		resp, err := client(as).Get(s.url + "/healthz")
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "remote error: tls: "+what) {
			t.Errorf("want %q, is %v", what, err)
		}
	}
	resp, body := fetch(t, http.DefaultClient, "http://"+s.addr+"/login")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "HTTPS only") || len(resp.Cookies()) != 0 {
		t.Errorf("in the clear: %s, %q", resp.Status, body)
	}
}

// serial is the number of the certificate that a new connection gets.
func serial(t *testing.T, s *server) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// checkCookies: the browser keeps cookies of this host alone, for HTTPS alone, and shows them to no script; the answer has it stay on
// HTTPS.
func checkCookies(t *testing.T, w *window) {
	t.Helper()
	got, err := chromedp.Call(w.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteStrict {
			t.Errorf("cookie %+v", c)
		}
	}
	if len(got.Cookies) == 0 {
		t.Error("the browser has no cookie")
	}
	resp, _ := fetch(t, client(&tls.Config{}), w.s.url+"/login")
	if said := resp.Header.Get("Strict-Transport-Security"); said != "max-age=63072000; includeSubDomains" {
		t.Errorf("Strict-Transport-Security is %q", said)
	}
}

// checkOrigins: a page in the clear, of the same host, opens no socket.
func checkOrigins(t *testing.T, s *server) {
	t.Helper()
	for origin, want := range map[string]int{"https://" + s.addr: http.StatusSwitchingProtocols, "http://" + s.addr: http.StatusForbidden, "null": http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/ws", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{
			"Origin": {origin}, "Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
		}
		resp, err := client(&tls.Config{}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("a socket from %s: %s, want %d", origin, resp.Status, want)
		}
	}
}

// checkGroupsOnRecord: the log of acts says of a sign-in, and of opening a note by page and by editor, how the connection was kept secret,
// and says so to nobody without the key.
func checkGroupsOnRecord(t *testing.T, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		ways := s.groupsOnRecord(t)
		if ways["login.begin password"] == hybrid && ways["note.open page"] == hybrid && ways["note.open editor"] == hybrid {
			return
		}
		select {
		case <-time.After(200 * time.Millisecond): // acts have no place yet
		case <-ctx.Done():
			t.Errorf("the log of acts has %v; want %s for a sign-in, and for opening a note by page and by editor", ways, hybrid)
			return
		}
	}
}

// groupsOnRecord are those of the log of acts by what was done, and how.
func (s *server) groupsOnRecord(t *testing.T) map[string]string {
	t.Helper()
	bundle := filepath.Join(t.TempDir(), "bundle")
	if _, err := s.command(t.Context(), "audit", "export", "--data", s.data, "--details", "--keys", filepath.Join(s.data, "keys"), bundle); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	ways := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		var entry struct {
			Leaf    struct{ Act, Code string }
			Details []byte
		}
		const salt = 32
		if json.Unmarshal([]byte(line), &entry) != nil || len(entry.Details) < salt {
			continue
		}
		var details struct{ TLS, From string }
		if err := json.Unmarshal(entry.Details[salt:], &details); err != nil {
			t.Fatal(err)
		}
		if details.From != "" {
			way, _, _ := strings.Cut(entry.Leaf.Code, " ")
			ways[entry.Leaf.Act+" "+way] = details.TLS
		}
	}
	if strings.Contains(string(text), hybrid) {
		t.Error("it is not sealed: entries show it")
	}
	return ways
}
