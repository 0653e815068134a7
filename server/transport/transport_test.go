package transport_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/transport"
)

const site = "notes.example"

// files hold a certificate and its key.
type files struct {
	t         *testing.T
	cert, key string
}

// write makes a certificate that lasts, writes it, and returns it.
func (f files) write(from time.Time, lasts time.Duration) *x509.Certificate {
	f.t.Helper()
	cert, key, err := transport.SelfSigned([]string{site}, from, from.Add(lasts))
	if err != nil {
		f.t.Fatal(err)
	}
	f.put(f.cert, cert, 0o644)
	f.put(f.key, key, 0o600)
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		f.t.Fatal(err)
	}
	return pair.Leaf
}

func (f files) put(path string, text []byte, mode os.FileMode) {
	f.t.Helper()
	if err := os.WriteFile(path, text, mode); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		f.t.Fatal(err)
	}
}

func newFiles(t *testing.T) files {
	dir := t.TempDir()
	return files{t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

// buffer is a log.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// said is what was written since the last call.
func (b *buffer) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.b.Reset()
	return b.b.String()
}

// serve serves HTTP over TLS, and answers with the group.
func serve(t *testing.T, o transport.Options) (tr *transport.Transport, address string) {
	t.Helper()
	tr, err := transport.New(o)
	if err != nil {
		t.Fatal(err)
	}
	under, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto, " ", r.TLS.CurveID) }),
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = web.Serve(tr.Listen(under)) }()
	t.Cleanup(func() { _ = web.Close(); <-done })
	return tr, under.Addr().String()
}

// ask sends a request by a connection of its own. If the handshake fails, it returns when the server has closed the connection.
func ask(address string, as *tls.Config) (string, error) {
	as.NextProtos = []string{"h2"}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		under, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		conn := tls.Client(under, as)
		if err := conn.HandshakeContext(ctx); err != nil {
			_, _ = io.Copy(io.Discard, under)
			return nil, errors.Join(err, under.Close())
		}
		return conn, nil
	}
	c := http.Client{Timeout: time.Minute, Transport: &http.Transport{DialTLSContext: dial, ForceAttemptHTTP2: true}}
	defer c.CloseIdleConnections()
	r, err := c.Get("https://" + address)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	return string(text), err
}

// TestGroups: who has a post-quantum group gets it; who has none is let in by prefer, and refused in the handshake by require;
// TLS 1.2 is refused by both. All of them are counted, and the log names no address.
func TestGroups(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	leaf := f.write(time.Now(), 24*time.Hour*90)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	const refused = "remote error: tls: handshake failure"
	const old, distrusts = "protocol version not supported", "certificate signed by unknown authority"
	clients := []struct {
		name            string
		as              *tls.Config
		prefer, require string
	}{
		{"Go", &tls.Config{}, "X25519MLKEM768", "X25519MLKEM768"},
		{"a browser", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384}}, "X25519MLKEM768", "X25519MLKEM768"},
		{"one of a ministry", &tls.Config{CurvePreferences: []tls.CurveID{tls.SecP384r1MLKEM1024, tls.CurveP384}}, "SecP384r1MLKEM1024", "SecP384r1MLKEM1024"},
		{"an old one", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, "X25519", refused},
		{"an older one", &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP256, tls.CurveP521}}, "CurveP256", refused},
		{"one of TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, old, old},
		{"one that trusts others", &tls.Config{RootCAs: x509.NewCertPool()}, distrusts, distrusts},
	}
	for demand, counted := range map[transport.Demand]transport.Tally{
		transport.Prefer: {
			Shaken: map[tls.CurveID]uint64{tls.X25519MLKEM768: 2, tls.SecP384r1MLKEM1024: 1, tls.X25519: 1, tls.CurveP256: 1},
			Failed: map[transport.Reason]uint64{transport.OldVersion: 1, transport.Distrusted: 1},
		},
		transport.Require: {
			Shaken: map[tls.CurveID]uint64{tls.X25519MLKEM768: 2, tls.SecP384r1MLKEM1024: 1},
			Failed: map[transport.Reason]uint64{transport.OldVersion: 1, transport.Classical: 2, transport.Distrusted: 1},
		},
	} {
		var log buffer
		tr, address := serve(t, transport.Options{Cert: f.cert, Key: f.key, Demand: demand, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for _, c := range clients {
			want := c.prefer
			if demand == transport.Require {
				want = c.require
			}
			as := c.as.Clone()
			as.ServerName, as.RootCAs = site, cmp.Or(as.RootCAs, roots)
			got, err := ask(address, as)
			if err != nil {
				got = err.Error()
			}
			if got != "HTTP/2.0 "+want && (err == nil || !strings.HasSuffix(got, want)) {
				t.Errorf("demand %d, %s: %s, want %s", demand, c.name, got, want)
			}
		}
		tally := tr.Tally()
		if !maps.Equal(tally.Shaken, counted.Shaken) || !maps.Equal(tally.Failed, counted.Failed) {
			t.Errorf("demand %d: counted %v and %v, want %v and %v", demand, tally.Shaken, tally.Failed, counted.Shaken, counted.Failed)
		}
		tr.Tend()
		said := log.said()
		for why, n := range counted.Failed {
			if !strings.Contains(said, fmt.Sprintf("reason=%q times=%d remote=127.0.0.1\n", why, n)) {
				t.Errorf("demand %d: the log does not say how many were refused for %q:\n%s", demand, why, said)
			}
		}
		if strings.Contains(said, "127.0.0.1:") {
			t.Errorf("demand %d: the log names an address:\n%s", demand, said)
		}
	}
}

// TestCertificateFollowsItsFiles: a pair that takes the place of the one in use is what the next connection gets, ticket or not,
// while connections that are open stay; one that cannot be used changes nothing, and the log says so, once.
func TestCertificateFollowsItsFiles(t *testing.T) {
	t.Parallel()
	f := newFiles(t)
	first := f.write(time.Now(), 90*24*time.Hour)
	var log buffer
	tr, address := serve(t, transport.Options{Cert: f.cert, Key: f.key, Log: slog.New(slog.NewTextHandler(&log, nil))})
	as := &tls.Config{InsecureSkipVerify: true, ServerName: site, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	dial := func() *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", address, as)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		request(t, conn) // the ticket comes with the answer
		return conn
	}
	gets := func(what string, want *x509.Certificate) {
		t.Helper()
		if got := dial().ConnectionState().PeerCertificates[0]; !got.Equal(want) {
			t.Errorf("%s: the next connection gets another certificate", what)
		}
	}
	open := dial()
	if !dial().ConnectionState().DidResume {
		t.Error("tickets are not taken: nothing here says what they would do to a new certificate")
	}
	if tr.Tend(); log.said() != "" || tr.Tally().Taken != 0 {
		t.Error("what has not changed is taken over")
	}

	second := f.write(time.Now(), 60*24*time.Hour)
	gets("before anybody looks", first)
	tr.Tend()
	gets("after that", second)
	request(t, open)
	if said := log.said(); !strings.Contains(said, "new certificate taken") || tr.Tally().Taken != 1 || !tr.Tally().Ends.Equal(second.NotAfter) {
		t.Errorf("%d taken, until %v:\n%s", tr.Tally().Taken, tr.Tally().Ends, said)
	}

	good, key := read(t, f.cert), read(t, f.key)
	other := newFiles(t)
	other.write(time.Now(), 90*24*time.Hour)
	over := newFiles(t)
	over.write(time.Now().Add(-48*time.Hour), 24*time.Hour)
	early := newFiles(t)
	early.write(time.Now().Add(24*time.Hour), 24*time.Hour)
	for what, to := range map[string]struct {
		do  func()
		say string
	}{
		"a certificate with another's key": {func() { f.put(f.cert, read(t, other.cert), 0o644) }, "does not match"},
		"no certificate":                   {func() { f.put(f.cert, []byte("moved"), 0o644) }, "failed to find any PEM data"},
		"half a certificate":               {func() { f.put(f.cert, good[:len(good)/2], 0o644) }, "failed to find any PEM data"},
		"one without end":                  {func() { f.put(f.cert, bytes.Repeat(good, 1000), 0o644) }, "longer than a certificate"},
		"none at all":                      {func() { _ = os.Remove(f.cert) }, "no such file"},
		"a key that others read":           {func() { f.put(f.key, key, 0o644) }, "chmod 600"},
		"one that has ended":               {func() { f.put(f.cert, read(t, over.cert), 0o644); f.put(f.key, read(t, over.key), 0o600) }, "has ended"},
		"one that does not count yet":      {func() { f.put(f.cert, read(t, early.cert), 0o644); f.put(f.key, read(t, early.key), 0o600) }, "does not count yet"},
	} {
		to.do()
		if tr.Tend(); log.said() != "" || tr.Tally().Broken {
			t.Errorf("%s: told at the first look, between two files perhaps", what)
		}
		tr.Tend()
		if said := log.said(); !strings.Contains(said, to.say) || !strings.Contains(said, "level=ERROR") || !tr.Tally().Broken {
			t.Errorf("%s: the log says %q, broken: %v", what, said, tr.Tally().Broken)
		}
		if tr.Tend(); log.said() != "" {
			t.Errorf("%s: told again", what)
		}
		gets(what, second)
		f.put(f.cert, good, 0o644)
		f.put(f.key, key, 0o600)
		if tr.Tend(); !strings.Contains(log.said(), "good again") || tr.Tally().Broken {
			t.Errorf("%s: still broken when it is put back", what)
		}
	}
	if tr.Tally().Taken != 1 {
		t.Errorf("%d pairs were taken", tr.Tally().Taken)
	}
	request(t, open)
}

// request asks for something on an open connection, and reads the answer.
func request(t *testing.T, conn *tls.Conn) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", site); err != nil {
		t.Fatal(err)
	}
	var answer []byte
	for b := make([]byte, 1024); !bytes.Contains(answer, []byte("HTTP/1.1 X25519MLKEM768")); {
		n, err := conn.Read(b)
		if err != nil {
			t.Fatalf("after %q: %v", answer, err)
		}
		answer = append(answer, b[:n]...)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestCertificateEnds: the log says each day that the certificate ends soon, and that it has; and that it is for another name.
func TestCertificateEnds(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	began := time.Now().Truncate(time.Second)
	for _, c := range []struct {
		lasts time.Duration
		quiet []time.Duration
		soon  []time.Duration
	}{
		{90 * day, []time.Duration{0, 75 * day}, []time.Duration{77 * day, 78 * day}},
		{6 * day, []time.Duration{0, 4 * day}, []time.Duration{5 * day}},
	} {
		f := newFiles(t)
		f.write(began, c.lasts)
		now := began
		var log buffer
		tr, err := transport.New(transport.Options{
			Cert: f.cert, Key: f.key, Host: site, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now },
		})
		if err != nil {
			t.Fatal(err)
		}
		tend := func(at time.Duration) string { now = began.Add(at); tr.Tend(); return log.said() }
		for _, at := range c.quiet {
			if said := tend(at); said != "" {
				t.Errorf("after %v of %v: %s", at, c.lasts, said)
			}
		}
		for _, at := range c.soon {
			if said := tend(at); !strings.Contains(said, "ends soon") {
				t.Errorf("after %v of %v: %q", at, c.lasts, said)
			}
			if said := tend(at + day/2); said != "" {
				t.Errorf("after %v of %v, again within a day: %s", at+day/2, c.lasts, said)
			}
		}
		if said := tend(c.lasts + day); !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "has ended") {
			t.Errorf("a day after %v: %q", c.lasts, said)
		}
		f.write(now, c.lasts) // and a new one is taken then
		if said := tend(c.lasts + day); !strings.Contains(said, "new certificate taken") || strings.Contains(said, "level=ERROR") {
			t.Errorf("renewed after the end: %q", said)
		}
	}
	f := newFiles(t)
	f.write(began, day)
	var log buffer
	if _, err := transport.New(transport.Options{Cert: f.cert, Key: f.key, Host: "other.example", Log: slog.New(slog.NewTextHandler(&log, nil))}); err != nil {
		t.Fatal(err)
	}
	if said := log.said(); !strings.Contains(said, "not for the name of this server") {
		t.Errorf("a certificate for another name: %q", said)
	}
}
