package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
)

type tokenCmd struct {
	Issue  tokenIssueCmd  `cmd:"" default:"withargs" help:"Print a bearer token, once: of a service account, for what its scopes say, or of a person, for programs that speak for them."`
	List   tokenListCmd   `cmd:"" help:"List somebody's tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token, and what is open under it, within a second."`
}

type tokenIssueCmd struct {
	database

	User  string   `required:"" help:"Username of the service account, or of the person the token speaks for."`
	Scope []string `help:"What a service account's token is for: notes:read, notes:write, accesses:read."`
	Unit  string   `help:"Id of the unit whose notes it is for."`
	Days  int      `help:"For how long: a service account's for up to 365, or else 90; a person's for 30."`
	Label string   `help:"What it is for, in words."`
}

func (c *tokenIssueCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		token, err := login.IssueToken(ctx, db, login.NewToken{
			Username: c.User, Label: c.Label, Scopes: c.Scope, Unit: c.Unit, Lasts: time.Duration(min(c.Days, 1000)) * 24 * time.Hour,
		})
		if err == nil {
			_, err = fmt.Println(token)
		}
		return err
	})
}

type tokenListCmd struct {
	database

	User string `arg:"" help:"Username of the service account or the person."`
}

func (c *tokenListCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		tokens, err := login.Tokens(ctx, db, c.User)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(table, "TOKEN\tFOR\tUNIT\tUNTIL\tLAST USED\tISSUED BY\tLABEL") // Flush tells
		for _, t := range tokens {
			used := "never"
			if !t.Used.IsZero() {
				used = t.Used.Local().Format("2006-01-02 15h")
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, cmp.Or(strings.Join(t.Scopes, ","), "all"), cmp.Or(t.Unit, "-"),
				t.Expires.Local().Format(time.DateTime), used, cmp.Or(t.By, "the operator"), cmp.Or(t.Label, "-"))
		}
		return table.Flush()
	})
}

type tokenRevokeCmd struct {
	database

	User  string    `arg:"" help:"Username of the service account or the person."`
	Token uuid.UUID `arg:"" help:"As the list calls it."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context) error {
	return c.with(ctx, func(db *store.DB) error {
		err := login.RevokeToken(ctx, db, c.User, c.Token)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%s has no such token", c.User)
		}
		if err == nil {
			_, err = fmt.Println("revoked")
		}
		return err
	})
}
