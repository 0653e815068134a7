package main

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/store"
)

type tokenCmd struct {
	User        string `required:"" help:"Username of the person the token speaks for."`
	Data        string `default:"./data" type:"path" help:"Data directory of a running demo." env:"TIDECHART_DATA"`
	DatabaseURL string `help:"Postgres to use instead of the demo's." env:"TIDECHART_DATABASE_URL"`
}

func (c *tokenCmd) Run(ctx context.Context) error {
	url := c.DatabaseURL
	if url == "" {
		var err error
		if url, err = postgres.Running(c.Data); err != nil {
			return fmt.Errorf("%w (start tidechart demo first, or give --database-url)", err)
		}
	}
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	token, err := login.IssueToken(ctx, db, c.User)
	if err != nil {
		return err
	}
	_, err = fmt.Println(token)
	return err
}
