package main

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/login"
)

// demands are the values of --second-factor. Only a demo offers all of them.
var demands = map[string]login.Demand{"all": login.FromAll, "overseers": login.FromOverseers, "nobody": login.FromNobody}

// edgeFlags are what an operator may change of how browsers are treated.
type edgeFlags struct {
	LogoffAfter    time.Duration `default:"15m" help:"Time without key or pointer after which somebody is signed out. All servers on a database need the same, and clocks that agree." env:"TIDECHART_LOGOFF_AFTER"`
	TrustedProxies []string      `placeholder:"CIDR,…" help:"Networks of proxies in front that say in X-Forwarded-For where requests come from. Nobody else's word counts." env:"TIDECHART_TRUSTED_PROXIES"`

	LogoffByRole map[string]time.Duration `placeholder:"ROLE=TIME;…" help:"The same for a role, as in \"charge nurse=5m\"." env:"TIDECHART_LOGOFF_BY_ROLE"`
}

// edges sets what the flags say, if it makes sense.
func (f edgeFlags) edges(c *server.Config) (err error) {
	if c.Logoff, err = login.NewLogoff(f.LogoffAfter, f.LogoffByRole); err != nil {
		return fmt.Errorf("%w: --logoff-after and --logoff-by-role: %w", errUsage, err)
	}
	for _, network := range f.TrustedProxies {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return fmt.Errorf("%w: --trusted-proxies: %w", errUsage, err)
		}
		c.TrustedProxies = append(c.TrustedProxies, prefix)
	}
	return nil
}
