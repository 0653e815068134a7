package main

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
)

// database says which database a command works on.
type database struct {
	Data        string `default:"./data" type:"path" help:"Data directory of a running demo." env:"TIDECHART_DATA"`
	DatabaseURL string `help:"Postgres to use instead of the demo's." env:"TIDECHART_DATABASE_URL"`
}

func (d database) open(ctx context.Context) (*store.DB, error) {
	url := d.DatabaseURL
	if url == "" {
		var err error
		if url, err = postgres.Running(d.Data); err != nil {
			return nil, fmt.Errorf("%w (start tidechart demo first, or give --database-url)", err)
		}
	}
	return store.Open(ctx, url, nil)
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
