package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
)

// postgresStop bounds how long the private Postgres may take to stop.
const postgresStop = 30 * time.Second

type demoCmd struct {
	Listen      string `default:"127.0.0.1:8080" help:"Address to listen on. Plain HTTP: keep it on this machine." env:"TIDECHART_LISTEN"`
	Data        string `default:"./data" type:"path" help:"Directory for the private Postgres and the key of what it holds." env:"TIDECHART_DATA"`
	DatabaseURL string `help:"Postgres to use instead of a private one. It is filled with synthetic patients if it is empty." env:"TIDECHART_DATABASE_URL"`

	SecondFactor string `enum:"nobody,overseers,all" default:"nobody" help:"Who needs a passkey, or codes from an app, beside the demo's password: nobody, overseers or all, as of tidechart serve." env:"TIDECHART_SECOND_FACTOR"`

	siteFlags
	allowanceFlags
	edgeFlags
}

func (c *demoCmd) Run(ctx context.Context, log *slog.Logger) (err error) {
	allow, err := c.allowance()
	if err != nil {
		return err
	}
	config := server.Config{Demo: signIns(), SecondFactor: demands[c.SecondFactor]}
	if err := c.edges(&config); err != nil {
		return err
	}
	if err := c.atSite(&config, false); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }() // the server has closed it, or never used it

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
		url = pg.URL()
	}
	keys, err := ownKeys(ctx, url, c.Data, log)
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
	own := keysFlags{Keys: filepath.Join(c.Data, demoKeys)}
	err = run(ctx, log, db, listener, allow, config, own.again, func() { c.announce(listener.Addr()) })
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// announce tells whoever waits for it, a person or a script, where to go.
func (c *demoCmd) announce(at net.Addr) {
	fmt.Printf("ready http://%s\n", at)
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
