package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
)

// Limits of the HTTP server (I10), and of its end.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 30 * time.Second
	answerTimeout = 60 * time.Second // event streams set their own, for each write
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
	drainTimeout  = 20 * time.Second
	closeTimeout  = 5 * time.Second // of the database connections, after a drain
	statusEvery   = 5 * time.Second // that a server says how it does
)

type serveCmd struct {
	Listen         string `default:":8443" help:"Address to listen on." env:"TIDECHART_LISTEN"`
	DatabaseURL    string `help:"Postgres to use, as in postgres://user@host/name?sslmode=verify-full. Required." env:"TIDECHART_DATABASE_URL"`
	BehindTLSProxy bool   `help:"A proxy in front speaks TLS with browsers and passes the Host header on." env:"TIDECHART_BEHIND_TLS_PROXY"`

	SecondFactor string `enum:"all,overseers" default:"all" help:"Who needs a passkey, or codes from an app, beside a password: all, or overseers only: administrators, privacy officers and charge nurses, who look after what others do. These always do." env:"TIDECHART_SECOND_FACTOR"`

	tlsFlags

	Seen string `type:"path" placeholder:"FILE" help:"File, kept where the database and its backups are not, for the newest signed checkpoint of the log of acts: a database that was put back to before that is refused, until tidechart audit accept." env:"TIDECHART_SEEN"`

	keysFlags
	KMSWait time.Duration `name:"kms-wait" default:"2m" help:"How long to wait at the start for a key service that is away." env:"TIDECHART_KMS_WAIT"`
	siteFlags
	lineFlags
	allowanceFlags
	edgeFlags
	metricsFlags
}

func (c *serveCmd) Run(ctx context.Context, log *slog.Logger) error {
	if err := c.check(); err != nil {
		return err
	}
	config := server.Config{Secure: true, SecondFactor: demands[c.SecondFactor]}
	if err := c.edges(&config); err != nil {
		return err
	}
	if err := c.atSite(&config, true); err != nil {
		return err
	}
	var speaks *transport.Transport
	if !c.BehindTLSProxy {
		var err error
		if speaks, err = c.transport(config.PublicURL, log); err != nil {
			return err
		}
	}
	metrics, err := c.metricsFlags.listen()
	if err != nil {
		return err
	}
	if metrics != nil {
		defer func() { _ = metrics.Close() }() // the server has closed it, or never used it
	}
	allow, err := c.allowance()
	if err != nil {
		return err
	}
	source, keys, err := c.unlock(ctx, log)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.DatabaseURL, keys, store.WithLog(log))
	if err != nil {
		return err
	}
	defer closeDatabase(log, db)
	if owns, _, err := demo.Owns(ctx, db); err != nil {
		return err
	} else if owns {
		return fmt.Errorf("%w: %w", errUsage, demo.ErrDemo)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if c.InsecureDatabase {
		log.Warn("nobody checks the line to the database (--insecure-database)")
	}
	s := service{db: db, listener: listener, speaks: speaks, metrics: metrics, allow: allow, config: config, keys: source, seen: c.Seen}
	return s.run(ctx, log, func() { log.Info("ready", "address", listener.Addr().String()) })
}

// unlock opens the vault. It waits for a key service, since without keys there is nothing that a server could do: not even who signs in
// can be recorded, so that nobody may.
func (c *serveCmd) unlock(ctx context.Context, log *slog.Logger) (*keySource, *vault.Vault, error) {
	source, err := c.source(log)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	limit, cancel := context.WithTimeout(ctx, c.KMSWait)
	defer cancel()
	keys, err := source.vault(limit, log)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return source, keys, nil
}

// check refuses to start what would not be safe, and says why.
func (c *serveCmd) check() error {
	if c.DatabaseURL == "" {
		return fmt.Errorf("%w: serve needs --database-url; to try Tidechart out without a database, run tidechart demo", errUsage)
	}
	switch {
	case c.tlsFlags.given() && c.BehindTLSProxy:
		return fmt.Errorf("%w: --tls-cert and --tls-key exclude --behind-tls-proxy: either this server speaks TLS or the proxy does", errUsage)
	case c.BehindTLSProxy && c.TLSPQ == "require":
		return fmt.Errorf("%w: --tls-pq=require is about TLS that this server speaks; with --behind-tls-proxy the proxy has to demand it", errUsage)
	case !c.BehindTLSProxy && (c.TLSCert == "" || c.TLSKey == ""):
		return fmt.Errorf("%w: patient notes do not travel in the clear; give --tls-cert and --tls-key, or --behind-tls-proxy if a proxy in front speaks TLS", errUsage)
	}
	return c.lineFlags.check(c.DatabaseURL)
}

// service is what runs when everything is at hand.
type service struct {
	db       *store.DB
	listener net.Listener
	speaks   *transport.Transport // nil: what comes is in the clear, from a proxy or to a demo
	metrics  net.Listener         // nil: there are none
	allow    sessions.Allowance
	config   server.Config
	keys     *keySource // read anew, as they may be rotated meanwhile
	seen     string     // file for the newest checkpoint of the log of acts; empty: none is kept
}

// run serves until ctx ends, then drains: what was taken is committed, and peers are told to reconnect.
func (v service) run(ctx context.Context, log *slog.Logger, ready func()) error {
	db, listener := v.db, v.listener
	line, err := v.lineToDatabase(ctx, log)
	if err != nil {
		return err
	}
	if n, err := db.MendCutOffSessions(ctx); err != nil {
		return err
	} else if n > 0 {
		log.Warn("the last stop was not a clean one; its editing sessions are closed", "sessions", n)
	}
	sequencer, err := db.NewSequencer(ctx)
	if err != nil {
		return err
	}
	if v.seen != "" {
		if err := sequencer.Remember(ctx, seenFile(v.seen)); err != nil {
			return fmt.Errorf("%w (if an older copy was put in place on purpose: tidechart audit accept --seen)", err)
		}
	}
	hub := sessions.NewHub(db, log, sessions.WithAllowance(v.allow))
	v.config.DB, v.config.Hub, v.config.Log, v.config.Version, v.config.Speaks = db, hub, log, version(), v.speaks
	s := server.New(v.config)
	web := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	watch, unwatch := context.WithCancel(context.WithoutCancel(ctx)) // until the last edit is committed
	defer unwatch()
	go s.Watch(watch)
	go each(watch, statusEvery, func() { s.TellStatus(watch) })
	sequenced := make(chan struct{})
	go func() { sequencer.Run(watch, log); close(sequenced) }()
	if v.speaks != nil {
		listener = v.speaks.Listen(listener)
		go each(watch, followEvery, v.speaks.Tend)
	}
	if v.metrics != nil {
		defer serveMetrics(log, v.metrics, v.speaks, line, hub, sequencer)()
	}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(listener) }()
	go tidy(ctx, log, db)
	go followKeys(watch, log, db, v.keys.read)
	go v.keys.watch(watch, log)
	go keepMemory(ctx)
	ready()

	select {
	case <-ctx.Done():
		log.Info("stopping: committing the last edits, telling peers to reconnect")
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	s.Drain()
	err = errors.Join(err, hub.Close(end), web.Shutdown(end))
	unwatch()
	select {
	case <-sequenced: // the last acts, too
	case <-end.Done(): // then the next start does it
	}
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// lineToDatabase tells the log how the database is reached, if that is by a network.
func (v service) lineToDatabase(ctx context.Context, log *slog.Logger) (store.Line, error) {
	line, err := v.db.Line(ctx)
	if line.TLS {
		log.Info("line to the database", "tls", true, "verified", line.Verified, "group", line.Group.String(), "post_quantum", transport.IsPostQuantum(line.Group))
	}
	return line, err
}

// closeDatabase lets go of the connections. One that waits for a database that does not answer, for a commit that
// is never cancelled, must not keep the process.
func closeDatabase(log *slog.Logger, db *store.DB) {
	closed := make(chan struct{})
	go func() { db.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		log.Warn("the database does not answer; its connections are abandoned")
	}
}
