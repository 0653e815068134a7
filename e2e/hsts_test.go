package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/clisonix/tidechart/internal/needs"
)

// site is a name that belongs to nobody.
const site = "notes.example"

// certKey is that of all certificates here.
var certKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // of a curve that there is
	}
	return private
})

// trusted is the hash of that key, by which a browser can be told to trust them.
func trusted() string {
	public, err := x509.MarshalPKIXPublicKey(&certKey().PublicKey)
	if err != nil {
		panic(err) // of a key that there is
	}
	sum := sha256.Sum256(public)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// certificate writes one for the site and this machine, signed by itself, and returns its files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	secret, err := x509.MarshalPKCS8PrivateKey(certKey())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, 1)
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// writeCertificate writes another one by the same key.
func writeCertificate(t *testing.T, path string, number int64) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(number), Subject: pkix.Name{CommonName: site}, DNSNames: []string{site, "*." + site}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &certKey().PublicKey, certKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serveTLS starts `tidechart serve` on an empty database, and returns its port.
func serveTLS(t *testing.T, cert, key string) (port string) {
	t.Helper()
	s := shared.get(t)
	database := emptyDatabase(t, "served")
	keys := filepath.Join(t.TempDir(), "keys")
	if _, err := s.command(t.Context(), "keys", "init", keys); err != nil {
		t.Fatal(err)
	}
	addr := freeAddr(t)
	_, port, _ = strings.Cut(addr, ":")
	startServe(t, addr, s.data, "--database-url", database, "--tls-cert", cert, "--tls-key", key, "--keys", keys, "--public-url", "https://"+site+":"+port).ready(t)
	return port
}

// checkPreference: unless more is demanded, who has no post-quantum group is let in, who has one uses it, and TLS 1.2 is refused.
func checkPreference(t *testing.T, address string) {
	t.Helper()
	for _, c := range []struct {
		as   *tls.Config
		want tls.CurveID
	}{
		{&tls.Config{}, tls.X25519MLKEM768}, {&tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, tls.X25519}, {&tls.Config{MaxVersion: tls.VersionTLS12}, 0},
	} {
		resp, err := client(c.as).Get(address)
		switch {
		case c.want == 0:
			if err == nil {
				_ = resp.Body.Close()
				t.Errorf("TLS 1.2: %s", resp.Status)
			}
		case err != nil:
			t.Error(err)
		default:
			if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK || resp.TLS.CurveID != c.want {
				t.Errorf("%s by %v, want %v", resp.Status, resp.TLS.CurveID, c.want)
			}
		}
	}
}

// TestBrowsersStayOnTLS: a browser that has seen the server once over TLS goes there by TLS only, and to hosts below it, too,
// whatever an address says: it asks nobody in the clear. Before that it did.
func TestBrowsersStayOnTLS(t *testing.T) {
	t.Parallel()
	path, err := needs.Chromium()
	if err != nil {
		needs.Missing(t, err.Error())
	}
	cert, key := certificate(t)
	port := serveTLS(t, cert, key)
	checkPreference(t, "https://127.0.0.1:"+port+"/healthz")
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.UserDataDir(t.TempDir()),
		// The certificate counts as any other that a browser trusts: with an error of one, it would not listen to the header.
		chromedp.Flag("ignore-certificate-errors-spki-list", trusted()),
		chromedp.Flag("host-resolver-rules", "MAP "+site+" 127.0.0.1, MAP *."+site+" 127.0.0.1"),
		chromedp.Flag("disable-features", "HttpsUpgrades"), // which would try TLS by itself
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	defer stop()
	ctx, cancel := chromedp.NewContext(alloc)
	defer cancel()
	ctx, stopWaiting := context.WithTimeout(ctx, 2*patience)
	defer stopWaiting()
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	reasons := make(chan string, 64) // why requests were redirected
	if err := chromedp.Listen(ctx, func(ev any) {
		if sent, is := ev.(*network.EventRequestWillBeSent); is && sent.RedirectResponse != nil {
			reason, _ := sent.RedirectResponse.Headers["Non-Authoritative-Reason"].(string)
			select {
			case reasons <- reason:
			default:
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ address, protocol, reason string }{
		{"http://" + site + ":" + port + "/login", "http:", ""},
		{"https://" + site + ":" + port + "/login", "https:", ""},
		{"http://" + site + ":" + port + "/login", "https:", "HSTS"},
		{"http://ward." + site + ":" + port + "/login", "https:", "HSTS"},
	} {
		if err := chromedp.Do(ctx, chromedp.Navigate(step.address)); err != nil {
			t.Fatalf("%s: %v", step.address, err)
		}
		protocol, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.protocol`))
		if err != nil {
			t.Fatal(err)
		}
		reason := ""
		select {
		case reason = <-reasons:
		default:
		}
		if protocol != step.protocol || reason != step.reason {
			t.Errorf("%s is opened by %s for the reason %q, want %s, %q", step.address, protocol, reason, step.protocol, step.reason)
		}
	}
}
