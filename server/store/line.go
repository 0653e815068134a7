package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrUnverified means that a database elsewhere would be reached by a line on which anybody between could read, or claim to be it.
var ErrUnverified = errors.New("the line to the database is not verified TLS")

// CheckLine returns [ErrUnverified], and to which host, unless each host that url names is on this machine, or is reached
// by TLS only with a certificate for its name: sslmode=verify-full. What the environment says (PGSSLMODE) counts.
func CheckLine(url string) error {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return errMalformedURL // pgx quotes the url, password and all
	}
	tries := append([]*pgconn.FallbackConfig{{Host: config.Host, Port: config.Port, TLSConfig: config.TLSConfig}}, config.Fallbacks...)
	for _, try := range tries {
		if !isHere(try.Host, try.Port) && !isVerified(try.TLSConfig) {
			return fmt.Errorf("%w: %s", ErrUnverified, try.Host)
		}
	}
	return nil
}

// isHere reports whether a host is this machine, so that nobody is between.
func isHere(host string, port uint16) bool {
	if network, _ := pgconn.NetworkAddress(host, port); network == "unix" || host == "localhost" {
		return true
	}
	at, err := netip.ParseAddr(host)
	return err == nil && at.IsLoopback()
}

// isVerified reports whether whoever answers must be who was meant. Of the other modes some check a certificate, but not for whom it is.
func isVerified(c *tls.Config) bool { return c != nil && !c.InsecureSkipVerify }

// Line is how the database is reached.
type Line struct {
	TLS      bool
	Verified bool        // it is the host that was meant
	Group    tls.CurveID // by which keys were agreed on
}

// Line looks at one of the connections.
func (db *DB) Line(ctx context.Context) (line Line, err error) {
	c, err := db.read.Acquire(ctx)
	if err != nil {
		return line, fmt.Errorf("look at the line to the database: %w", err)
	}
	defer c.Release()
	if conn, is := c.Conn().PgConn().Conn().(*tls.Conn); is {
		line = Line{TLS: true, Verified: isVerified(c.Conn().Config().TLSConfig), Group: conn.ConnectionState().CurveID}
	}
	return line, nil
}
