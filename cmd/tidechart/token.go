package main

import (
	"context"
	"fmt"

	"github.com/clisonix/tidechart/server/login"
)

type tokenCmd struct {
	database

	User string `required:"" help:"Username of the person the token speaks for."`
}

func (c *tokenCmd) Run(ctx context.Context) error {
	db, err := c.open(ctx)
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
