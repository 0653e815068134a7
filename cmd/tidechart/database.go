package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// database says which database a command works on.
type database struct {
	Data        string `default:"./data" type:"path" help:"Data directory of a running demo." env:"TIDECHART_DATA"`
	DatabaseURL string `help:"Postgres to use instead of the demo's." env:"TIDECHART_DATABASE_URL"`

	lineFlags
}

func (d database) url() (string, error) {
	if d.DatabaseURL != "" {
		return d.DatabaseURL, d.check(d.DatabaseURL)
	}
	url, err := postgres.Running(d.Data)
	if err != nil {
		return "", fmt.Errorf("%w (start tidechart demo first, or give --database-url)", err)
	}
	return url, nil
}

func (d database) open(ctx context.Context) (*store.DB, error) { return d.openWith(ctx, nil) }

// openWith opens the database with the vault of what it seals.
func (d database) openWith(ctx context.Context, v *vault.Vault, options ...store.Option) (*store.DB, error) {
	url, err := d.url()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, url, v, options...)
}

// openSealed opens it with its keys, for what names patients.
func (d database) openSealed(ctx context.Context, keys keysFlags, log *slog.Logger) (*store.DB, error) {
	v, err := d.orDemo(keys).keys(ctx, log)
	if err != nil {
		return nil, err
	}
	return d.openWith(ctx, v, store.WithLog(log))
}

// with opens the database for f.
func (d *database) with(ctx context.Context, f func(*store.DB) error) error {
	db, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	return f(db)
}
