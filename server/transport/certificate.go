package transport

import (
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/clisonix/tidechart/internal/ownfile"
)

// Limits of what files of a certificate hold, in bytes (I10).
const (
	maxChain = 256 << 10
	maxKey   = 64 << 10
)

// A certificate that ends soon is told to the log once a day: 14 days before, or when a quarter of its time is left if that is
// less, as of those that last a few days.
const (
	warnBefore = 14 * 24 * time.Hour
	warnPart   = 4
	warnEvery  = 24 * time.Hour
)

// pair is a certificate and its key, as their files held them.
type pair struct {
	config *tls.Config
	files  [2][sha256.Size]byte
}

func (p *pair) ends() time.Time { return p.config.Certificates[0].Leaf.NotAfter }

// warnsFrom is when it ends soon.
func (p *pair) warnsFrom() time.Time {
	leaf := p.config.Certificates[0].Leaf
	return leaf.NotAfter.Add(-min(warnBefore, leaf.NotAfter.Sub(leaf.NotBefore)/warnPart))
}

// following is what is known of the files.
type following struct {
	fails  int       // looks in a row that found something wrong with them
	said   string    // what of that the log was told; "": nothing
	warned time.Time // when it was told that the certificate ends
}

// read reads the files. The certificate may have ended, or not count yet.
func (t *Transport) read() (*pair, error) {
	chain, err := readChain(t.cert)
	if err != nil {
		return nil, err
	}
	key, err := ownfile.Read(t.key, maxKey, ownfile.GroupOfRoot)
	if err != nil {
		return nil, err
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w", t.cert, t.key, err)
	}
	return &pair{t.config(cert), [2][sha256.Size]byte{sha256.Sum256(chain), sha256.Sum256(key)}}, nil
}

// readChain reads what anybody may see.
func readChain(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // whoever waits at a pipe would wait for ever
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxChain+1))
	if err == nil && len(text) > maxChain {
		err = fmt.Errorf("%s is longer than a certificate chain", path)
	}
	return text, err
}

// use has new connections spoken to by a pair, and tells the log what browsers will have against it.
func (t *Transport) use(p *pair) {
	t.current.Store(p)
	t.files.warned = time.Time{}
	leaf := p.config.Certificates[0].Leaf
	if t.host != "" {
		if err := leaf.VerifyHostname(t.host); err != nil {
			t.log.Error("the certificate is not for the name of this server: browsers will refuse it", "name", t.host)
		}
	}
	if t.now().Before(leaf.NotBefore) {
		t.log.Error("the certificate does not count yet: browsers will refuse it", "from", leaf.NotBefore)
	}
	t.warn()
}

// warn says that the certificate ends soon, once a day.
func (t *Transport) warn() {
	p, now := t.current.Load(), t.now()
	if now.Before(p.warnsFrom()) || now.Sub(t.files.warned) < warnEvery {
		return
	}
	t.files.warned = now
	if now.After(p.ends()) {
		t.log.Error("the certificate has ended: browsers refuse it", "file", t.cert, "ended", p.ends())
		return
	}
	t.log.Warn("the certificate ends soon: replace its files, and this server takes the new ones", "file", t.cert, "ends", p.ends())
}

// errOver is why a new certificate is not taken: it would be refused.
var errOver = errors.New("the new certificate has ended, or does not count yet")

// Tend looks at the files again. A new pair is what new connections are spoken to by; those that are open stay as they are. One
// that cannot be used changes nothing: the log is told of it when a second look finds it so, since two files are never replaced at
// one moment. Tend also tells the log of handshakes that failed.
func (t *Transport) Tend() {
	defer t.tell()
	defer t.warn()
	p, err := t.read()
	if err == nil && p.files == t.current.Load().files {
		t.mended()
		return
	}
	if err == nil {
		err = t.worse(p)
	}
	if err != nil {
		t.broken(err)
		return
	}
	t.use(p)
	t.mended()
	t.mu.Lock()
	t.tally.Taken++
	t.mu.Unlock()
	t.log.Info("new certificate taken", "file", t.cert, "ends", p.ends())
}

// worse returns an error if browsers would refuse a new pair, and do not refuse the one in use.
func (t *Transport) worse(p *pair) error {
	now, leaf := t.now(), p.config.Certificates[0].Leaf
	if t.current.Load().ends().After(now) && (now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)) {
		return fmt.Errorf("%s: %w", t.cert, errOver)
	}
	return nil
}

// broken notes that the files hold no pair to use.
func (t *Transport) broken(err error) {
	t.files.fails++
	if t.files.fails < 2 {
		return
	}
	if t.files.said != err.Error() {
		t.log.Error("the new certificate is not used; the one in memory stays in use", "err", err, "ends", t.current.Load().ends())
		t.files.said = err.Error()
	}
	t.mu.Lock()
	t.tally.Broken = true
	t.mu.Unlock()
}

// mended notes that they hold one.
func (t *Transport) mended() {
	if t.files.said != "" {
		t.log.Info("the files of the certificate are good again")
	}
	t.files.fails, t.files.said = 0, ""
	t.mu.Lock()
	t.tally.Broken = false
	t.mu.Unlock()
}
