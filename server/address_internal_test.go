package server

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/clisonix/tidechart/web"
)

// TestNetwork: where a request comes from is what a trusted proxy says of it, and nothing that its sender wrote.
func TestNetwork(t *testing.T) {
	trusting := &Server{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for _, tt := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:1234", nil, "192.0.2.7"},
		{"[::ffff:192.0.2.7]:1234", nil, "192.0.2.7"},
		{"[2001:db8:1:2:3:4:5:6]:1", nil, "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:ffff::1%x]:2", nil, "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:443", nil, "fe80::/64"},
		{"@", nil, ""},
		{"2001:db8:1:2:3:4:5:6 forged,", nil, ""},

		{"192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"}, // no proxy of ours
		{"192.0.2.7:1234", []string{"10.0.0.1"}, "192.0.2.7"},
		{"10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:10.0.0.1]:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // the left one is invented
		{"10.0.0.1:80", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},    // as one of ours, even
		{"10.0.0.1:80", []string{"203.0.113.9, 198.51.100.1, 10.0.0.2,10.0.0.3"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"203.0.113.9", "198.51.100.1", "10.0.0.2"}, "198.51.100.1"}, // lines are one list
		{"10.0.0.1:80", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"[2001:db8:1:2:3::4]:4711"}, "2001:db8:1:2::/64"},
		{"[fd00::1]:80", []string{"2001:db8:1:2:9::9"}, "2001:db8:1:2::/64"},
		{"10.0.0.1:80", []string{"10.0.0.2"}, "10.0.0.2"}, // a proxy asks for itself
		{"10.0.0.1:80", nil, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1, garbage"}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1, , 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:80", []string{"198.51.100.1" + strings.Repeat(", 10.0.0.2", 5000)}, "10.0.0.2"},
	} {
		r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{"X-Forwarded-For": tt.forwarded}}
		if got := trusting.network(r); got != tt.want {
			t.Errorf("%s, forwarded for %.80q: %q, want %q", tt.remote, tt.forwarded, got, tt.want)
		}
		if got := (&Server{}).network(r); len(tt.forwarded) > 0 && strings.Contains(got, "198.51") {
			t.Errorf("%s, forwarded for %.80q, and no proxy is trusted: %q", tt.remote, tt.forwarded, got)
		}
	}
}

// TestConnectionIsWhatItIs: how a request came is the connection's word. Of one by a proxy nothing is known, whatever its headers say.
func TestConnectionIsWhatItIs(t *testing.T) {
	by := func(group tls.CurveID) *tls.ConnectionState { return &tls.ConnectionState{CurveID: group} }
	for _, c := range []struct {
		what   string
		secure bool
		state  *tls.ConnectionState
		want   web.ConnectionState
		group  string
	}{
		{"a browser's", true, by(tls.X25519MLKEM768), web.ConnectionPostQuantum, "X25519MLKEM768"},
		{"another", true, by(tls.SecP384r1MLKEM1024), web.ConnectionPostQuantum, "SecP384r1MLKEM1024"},
		{"an old one", true, by(tls.X25519), web.ConnectionClassical, "X25519"},
		{"by a proxy", true, nil, web.ConnectionUnknown, "unknown"},
		{"in the clear", false, nil, web.ConnectionClear, ""},
	} {
		s := &Server{secure: c.secure, proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = c.state
		for _, name := range []string{"X-Forwarded-Proto", "X-SSL-Curve", "X-TLS-Group", "Forwarded"} {
			r.Header.Set(name, "https; X25519MLKEM768")
		}
		if got := s.connection(r); got.State != c.want || got.Group != c.group {
			t.Errorf("%s: %+v, want %q, %q", c.what, got, c.want, c.group)
		}
		if got := s.origin(r); got.TLS != c.group || got.Network != "192.0.2.1" {
			t.Errorf("%s: acts come from %+v", c.what, got)
		}
	}
}
