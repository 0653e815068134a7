package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/web"
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

// origin says where the acts of a request come from; whose they are is known later. Nothing of the request lives as long as it.
func (s *Server) origin(r *http.Request) audit.Origin {
	return audit.Origin{Network: strings.Clone(s.network(r)), TLS: s.connection(r).Group}
}

// connection says how the connection is kept secret by which r came. What a proxy in front has agreed on with a browser nobody
// knows here, and no header is believed about it.
func (s *Server) connection(r *http.Request) web.Connection {
	switch {
	case r.TLS != nil:
		group, state := r.TLS.CurveID, web.ConnectionClassical
		if transport.IsPostQuantum(group) {
			state = web.ConnectionPostQuantum
		}
		return web.Connection{State: state, Group: group.String()}
	case s.secure:
		return web.Connection{State: web.ConnectionUnknown, Group: unknownGroup}
	default:
		return web.Connection{}
	}
}

// unknownGroup is what the log of acts has of a connection that a proxy has made secret.
const unknownGroup = "unknown"

// network names what is likely one household: an IPv4 address, or the first half of an IPv6 one.
func (s *Server) network(r *http.Request) string { return transport.Network(s.client(r)) }
