// Package demotest gives tests the demo's hospital, each a copy of its own.
// The package that uses it runs [postgrestest.Main].
package demotest

import (
	"context"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/demo"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// limit is how long it may take to fill the first copy.
const limit = 2 * time.Minute

// All copies are sealed with the same key: the first was sealed before it was copied.
var (
	secret   = vault.NewSecret()
	hospital = postgrestest.Prepared{Fill: fill}
)

func fill(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	db, err := open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = demo.Seed(ctx, db, time.Now())
	return err
}

func open(ctx context.Context, url string) (*store.DB, error) {
	keys, err := vault.New(secret)
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, url, keys)
}

// Secret is what all copies are sealed with.
func Secret() vault.Secret { return secret }

// Open returns a database that holds the demo's hospital, and its connection
// string. It ends with the test.
func Open(t testing.TB) (*store.DB, string) {
	t.Helper()
	url := hospital.URL(t)
	db, err := open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db, url
}
