package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
)

// tlsFlags say how this server speaks TLS with browsers.
type tlsFlags struct {
	TLSCert string `type:"path" placeholder:"FILE" help:"File with the certificate chain, PEM. When it or its key changes, new connections get the new one." env:"TIDECHART_TLS_CERT"`
	TLSKey  string `type:"path" placeholder:"FILE" help:"File with the certificate's key, PEM, which nobody else may read." env:"TIDECHART_TLS_KEY"`
	TLSPQ   string `name:"tls-pq" enum:"prefer,require" default:"prefer" help:"Whether keys of connections must withstand quantum computers (X25519MLKEM768): prefer lets clients in that cannot, require refuses them. Current browsers can." env:"TIDECHART_TLS_PQ"`
}

func (f tlsFlags) given() bool { return f.TLSCert != "" || f.TLSKey != "" }

// transport returns what speaks TLS. site is how browsers reach the server, if that is known.
func (f tlsFlags) transport(site *url.URL, log *slog.Logger) (*transport.Transport, error) {
	o := transport.Options{Cert: f.TLSCert, Key: f.TLSKey, Log: log}
	if f.TLSPQ == "require" {
		o.Demand = transport.Require
	}
	if site != nil {
		o.Host = site.Hostname()
	}
	t, err := transport.New(o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return t, nil
}

// lineFlags say what of the line to the database is demanded.
type lineFlags struct {
	InsecureDatabase bool `help:"Reach a database on another machine though nobody checks that it is the right one, and perhaps without TLS. Only where nobody else is on that network." env:"TIDECHART_INSECURE_DATABASE"`
}

// check refuses a database that is reached by a line on which anybody may be.
func (f lineFlags) check(database string) error {
	err := store.CheckLine(database)
	switch {
	case err == nil, f.InsecureDatabase && errors.Is(err, store.ErrUnverified):
		return nil
	case errors.Is(err, store.ErrUnverified):
		return fmt.Errorf("%w: %w; write sslmode=verify-full in its url, and sslrootcert=FILE if its certificate is of an authority of your own, "+
			"as in postgres://user@host/name?sslmode=verify-full&sslrootcert=/etc/tidechart/database-ca.pem; or give --insecure-database", errUsage, err)
	default:
		return err
	}
}
