package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
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
