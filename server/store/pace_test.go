package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

// TestWorkThatWaitsSeesPeople: it makes way as soon as others commit, and goes on as fast as it can when they have gone.
func TestWorkThatWaitsSeesPeople(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), postgrestest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	p := newPace(&DB{commits: pool}, false)
	if !p.among || p.step(4) != 1 {
		t.Error("it supposes that it is alone")
	}
	look := func(within time.Duration) {
		t.Helper()
		p.looked = time.Now().Add(-within)
		if err := p.look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look(0)
	look(time.Hour)
	if p.among || p.step(4) != 4 {
		t.Error("it makes way for nobody")
	}
	for range 3 * paceOthers {
		if _, err := pool.Exec(t.Context(), "SELECT pg_stat_force_next_flush(), count(*) FROM pg_class"); err != nil {
			t.Fatal(err)
		}
	}
	look(2 * time.Second)
	if !p.among || p.step(4) != 1 {
		t.Error("it does not make way")
	}
	p.own = 1000
	look(2 * time.Second)
	if p.among {
		t.Error("it makes way for itself")
	}
}

// TestWorkInAHurryRestsForNobody, and can be stopped all the same.
func TestWorkInAHurryRestsForNobody(t *testing.T) {
	t.Parallel()
	p := newPace(nil, true) // it does not even look
	if p.step(4) != 4 {
		t.Error("it takes short steps")
	}
	if err := p.rest(t.Context(), 1000*time.Hour); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.rest(ctx, time.Nanosecond); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped, it says %v", err)
	}
}
