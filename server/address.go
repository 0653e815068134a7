package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops is how many addresses of X-Forwarded-For are read, from the right: what is left of them was written by whoever
// asks.
const maxHops = 16

// client returns where a request comes from, as far as it is known for certain: the address that the connection comes
// from or, if that is a proxy that the operator trusts, the right-most address of X-Forwarded-For that is no such proxy.
// Each proxy adds on the right whom it has heard from; all to the left of the first that is not trusted may be invented.
// The zero address means that there is none, as on a Unix socket.
func (s *Server) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := plain(peer.Addr())
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i, hop := range slices.Backward(hops) {
		if len(hops)-i > maxHops || !s.isProxy(at) {
			break
		}
		before, ok := parseHop(hop)
		if !ok {
			break // the proxy itself, then
		}
		at = before
	}
	return at
}

func (s *Server) isProxy(at netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(at) })
}

// parseHop reads an address as proxies write it, some with a port.
func parseHop(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	at, err := netip.ParseAddr(hop)
	if err != nil {
		var port netip.AddrPort
		port, err = netip.ParseAddrPort(hop)
		at = port.Addr()
	}
	return plain(at), err == nil
}

func plain(at netip.Addr) netip.Addr { return at.Unmap().WithZone("") }

// network names what is likely one household: an IPv4 address, or the first half of an IPv6 one.
func (s *Server) network(r *http.Request) string {
	at := s.client(r)
	switch {
	case !at.IsValid():
		return ""
	case at.Is6():
		half, _ := at.Prefix(64) // never fails of an address of 128 bits
		return half.String()
	default:
		return at.String()
	}
}
