package transport

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory.
type pipes struct {
	come  chan net.Conn
	ended chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.come:
		return conn, nil
	case <-p.ended:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.ended); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.come <- there
	return here
}

func listening(t *testing.T, atOnce int) (*Transport, net.Listener, *pipes) {
	t.Helper()
	cert, key, err := SelfSigned([]string{"notes.example"}, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Cert: filepath.Join(t.TempDir(), "cert"), Key: filepath.Join(t.TempDir(), "key"), Log: slog.New(slog.DiscardHandler)}
	if err := errors.Join(os.WriteFile(o.Cert, cert, 0o600), os.WriteFile(o.Key, key, 0o600)); err != nil {
		t.Fatal(err)
	}
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	return tr, tr.listen(p, atOnce), p
}

// TestHandshakesThatFail: whoever does not get through the handshake is counted by the reason, and cut off in time; nobody who
// accepts connections hears of them.
func TestHandshakesThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr, l, p := listening(t, maxHandshakes)
		accepted := make(chan net.Conn, 1)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					close(accepted)
					return
				}
				accepted <- conn
			}
		}()
		counted := func(what string, why Reason) {
			t.Helper()
			synctest.Wait()
			if tally := tr.Tally(); tally.Failed[why] != 1 || len(tally.Failed) != 1 || len(accepted) != 0 {
				t.Errorf("%s is counted as %v", what, tally.Failed)
			}
			tr.mu.Lock()
			clear(tr.tally.Failed)
			tr.mu.Unlock()
		}

		began := time.Now()
		silent := p.dial()
		if _, err := silent.Read(make([]byte, 1)); err == nil || time.Since(began) != handshakeTimeout {
			t.Errorf("whoever says nothing is cut off after %v: %v", time.Since(began), err)
		}
		counted("who says nothing", TooSlow)

		began = time.Now()
		drip := p.dial() // a byte now and then buys no time
		for err := error(nil); err == nil; time.Sleep(time.Second / 2) {
			_, err = drip.Write([]byte{22})
			if time.Since(began) > time.Minute {
				t.Fatal("bytes now and then keep a handshake open")
			}
		}
		if len(tr.Tally().Failed) != 1 {
			t.Error("who sends bytes now and then is not counted")
		}
		tr.mu.Lock()
		clear(tr.tally.Failed)
		tr.mu.Unlock()

		if err := p.dial().Close(); err != nil {
			t.Fatal(err)
		}
		counted("who leaves", Left)

		plain := p.dial()
		if _, err := io.WriteString(plain, "GET / HTTP/1.1\r\nHost: notes.example\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if answer, _ := io.ReadAll(plain); !strings.Contains(string(answer), "HTTP/1.0 400") || !strings.Contains(string(answer), "HTTPS only") {
			t.Errorf("who speaks HTTP in the clear is told %q", answer)
		}
		counted("who speaks HTTP in the clear", NoTLS)

		client := tls.Client(p.dial(), &tls.Config{InsecureSkipVerify: true})
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		conn := <-accepted
		if n := tr.Tally().Shaken[tls.X25519MLKEM768]; n != 1 || len(tr.Tally().Failed) != 0 {
			t.Errorf("after one good handshake %d are counted, and %v", n, tr.Tally().Failed)
		}
		late := p.dial() // is under way when the listener ends
		synctest.Wait()
		if err := errors.Join(l.Close(), client.NetConn().Close()); err != nil {
			t.Error(err)
		}
		_ = conn.Close() // nobody hears its last word
		if _, err := late.Read(make([]byte, 1)); err == nil {
			t.Error("a handshake goes on when nobody accepts any more")
		}
		if _, is := <-accepted; is {
			t.Error("something is accepted after the end")
		}
	})
}

// TestHandshakesAtOnce: while too many shake hands, whoever comes is turned away, and let in afterwards.
func TestHandshakesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const atOnce = 50
		tr, l, p := listening(t, atOnce)
		for range atOnce {
			p.dial()
		}
		synctest.Wait()
		if n := tr.Tally().Failed[TooMany]; n != 0 {
			t.Fatalf("%d are turned away before there are too many", n)
		}
		if _, err := p.dial().Read(make([]byte, 1)); err == nil {
			t.Error("one too many is heard")
		}
		if n := tr.Tally().Failed[TooMany]; n != 1 {
			t.Errorf("%d are counted as too many, want 1", n)
		}
		time.Sleep(handshakeTimeout)
		synctest.Wait()
		go func() { _, _ = l.Accept() }()
		client := tls.Client(p.dial(), &tls.Config{InsecureSkipVerify: true})
		if err := client.Handshake(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
