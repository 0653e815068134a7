package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/web"
)

// postgresStop bounds how long the private Postgres may take to stop.
const postgresStop = 30 * time.Second

type demoCmd struct {
	Listen      string `default:"127.0.0.1:8080" help:"Address to listen on. Without --tls it is plain HTTP: keep it on this machine." env:"TIDECHART_LISTEN"`
	Data        string `default:"./data" type:"path" help:"Directory for the private Postgres and the key of what it holds." env:"TIDECHART_DATA"`
	DatabaseURL string `help:"Postgres to use instead of a private one. It is filled with synthetic patients if it is empty." env:"TIDECHART_DATABASE_URL"`

	SecondFactor string `enum:"nobody,overseers,all" default:"nobody" help:"Who needs a passkey, or codes from an app, beside the demo's password: nobody, overseers or all, as of tidechart serve." env:"TIDECHART_SECOND_FACTOR"`

	TLS bool `help:"Speak TLS, by --tls-cert and --tls-key or else by a certificate that is made in the data directory, and that no browser knows." env:"TIDECHART_TLS"`

	tlsFlags
	siteFlags
	lineFlags
	allowanceFlags
	edgeFlags
	metricsFlags
}

func (c *demoCmd) Run(ctx context.Context, log *slog.Logger) (err error) {
	allow, err := c.allowance()
	if err != nil {
		return err
	}
	c.TLS = c.TLS || c.tlsFlags.given() || c.TLSPQ == "require"
	config := server.Config{Demo: signIns(), SecondFactor: demands[c.SecondFactor], Secure: c.TLS}
	if err := c.edges(&config); err != nil {
		return err
	}
	if err := c.atSite(&config, c.TLS); err != nil {
		return err
	}
	if err := c.lineFlags.check(c.DatabaseURL); c.DatabaseURL != "" && err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }() // the server has closed it, or never used it
	metrics, err := c.metricsFlags.listen()
	if err != nil {
		return err
	}
	if metrics != nil {
		defer func() { _ = metrics.Close() }() // the same
	}

	url := c.DatabaseURL
	if url == "" {
		pg, err := postgres.Start(ctx, postgres.Options{Dir: c.Data, Log: log})
		if err != nil {
			return err
		}
		defer func() {
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), postgresStop)
			defer cancel()
			if stopErr := pg.Stop(end); stopErr != nil {
				log.Error("private postgres", "err", stopErr)
			}
		}()
		go func() {
			if err := pg.LayOutLog(ctx, postgres.LogFiles); err != nil && ctx.Err() == nil {
				log.Warn("private postgres", "err", err)
			}
		}()
		url = pg.URL()
	}
	keys, err := ownKeys(ctx, url, c.Data, log)
	if err != nil {
		return err
	}
	speaks, err := c.transport(config.PublicURL, log)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, url, keys, store.WithLog(log))
	if err != nil {
		return err
	}
	defer closeDatabase(log, db)
	seeded, err := demo.Seed(ctx, db, time.Now())
	if err != nil {
		return err
	}
	log.Info("demo database", "seeded", seeded)
	own := &keySource{path: filepath.Join(c.Data, demoKeys)}
	s := service{db: db, listener: listener, speaks: speaks, metrics: metrics, allow: allow, config: config, keys: own}
	err = s.run(ctx, log, func() { c.announce(listener.Addr()) })
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// The certificate that a demo makes for itself, in its data directory.
const (
	demoCert    = "tls-cert.pem"
	demoCertKey = "tls-key.pem"
	demoLasts   = 90 * 24 * time.Hour
)

// transport returns what speaks TLS, or nil for a demo in the clear. A certificate of its own is made anew at each start: nobody has
// been told to trust it.
func (c *demoCmd) transport(site *url.URL, log *slog.Logger) (*transport.Transport, error) {
	if !c.TLS {
		return nil, nil
	}
	if !c.tlsFlags.given() {
		if err := c.makeCertificate(site); err != nil {
			return nil, err
		}
	}
	return c.tlsFlags.transport(site, log)
}

func (c *demoCmd) makeCertificate(site *url.URL) error {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if site != nil {
		names = append(names, site.Hostname())
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		names = append(names, host)
	}
	now := time.Now()
	cert, key, err := transport.SelfSigned(names, now, now.Add(demoLasts))
	if err != nil {
		return err
	}
	c.TLSCert, c.TLSKey = filepath.Join(c.Data, demoCert), filepath.Join(c.Data, demoCertKey)
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	for path, text := range map[string][]byte{c.TLSCert: cert, c.TLSKey: key} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// announce tells whoever waits for it, a person or a script, where to go.
func (c *demoCmd) announce(at net.Addr) {
	scheme := "http"
	if c.TLS {
		scheme = "https"
	}
	fmt.Printf("ready %s://%s\n", scheme, at)
	if strings.HasPrefix(c.TLSCert, c.Data) {
		fmt.Println("\nThe certificate is the demo's own: browsers warn of it, and you may go on.")
	}
	fmt.Printf("\nSign in as one of these; the password is %s\n", demo.Password)
	for _, p := range demo.People() {
		fmt.Printf("  %-10s %-22s %s\n", p.Username, p.Name, p.Role)
	}
	fmt.Println("\nEvery patient is synthetic. Stop with Ctrl-C.")
}

// signIns is what the sign-in page of a demo offers.
func signIns() *web.DemoSignIns {
	offer := &web.DemoSignIns{Password: demo.Password}
	for _, p := range demo.People() {
		offer.People = append(offer.People, web.Person{Username: p.Username, Name: p.Name, Role: p.Role, ColorIndex: p.Color})
	}
	return offer
}
