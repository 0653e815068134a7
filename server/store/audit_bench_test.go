package store_test

import (
	"context"
	"flag"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/audit"
)

var (
	auditFor  = flag.Duration("audit.for", 2*time.Second, "how long acts are recorded in BenchmarkAuditLog")
	auditRate = flag.Float64("audit.rate", 0, "how many a second it wants")
	auditLag  = flag.Duration("audit.lag", time.Hour, "by when 99 of a hundred have to have their place")
)

// BenchmarkAuditLog has many record acts, each in a transaction of its own, while a sequencer places them, and reports how many
// there were a second, and how long after it happened an act had its place.
func BenchmarkAuditLog(b *testing.B) {
	h := open(b)
	s := h.sequencer(b)
	step(b, s)
	conn := h.connection(b)
	const writers = 16
	for b.Loop() {
		before, err := h.db.AuditHead(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		var stop atomic.Bool
		var recorded atomic.Int64
		var wg sync.WaitGroup
		began := time.Now()
		for range writers {
			wg.Go(func() {
				ctx := audit.From(context.Background(), audit.Origin{Who: uuid.New(), Role: "nurse", Login: "17", Network: "10.1.2.3"})
				for !stop.Load() {
					e := audit.Event{Act: audit.OpenNote, Patient: uuid.New(), Note: uuid.New(), Code: "page by unit"}
					if err := h.db.Record(ctx, e); err != nil {
						b.Error(err)
						return
					}
					recorded.Add(1)
				}
			})
		}
		var lags []time.Duration
		time.AfterFunc(*auditFor, func() { stop.Store(true) })
		for size := before.Size; !stop.Load() || size < before.Size+recorded.Load(); {
			n, err := s.Step(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			lags = append(lags, h.lags(b, conn, size)...)
			if size += int64(n); n < 1000 {
				<-time.After(200 * time.Millisecond) // as between two steps of Run
			}
		}
		wg.Wait()
		took := time.Since(began)
		slices.Sort(lags)
		if int64(len(lags)) < recorded.Load() {
			b.Fatalf("%d acts were recorded, %d have a place", recorded.Load(), len(lags))
		}
		rate, p99 := float64(recorded.Load())/took.Seconds(), lags[len(lags)*99/100]
		b.ReportMetric(rate, "acts/s")
		b.ReportMetric(float64(lags[len(lags)/2].Milliseconds()), "p50-lag-ms")
		b.ReportMetric(float64(p99.Milliseconds()), "p99-lag-ms")
		if rate < *auditRate || p99 > *auditLag {
			b.Errorf("%.0f acts a second, 99 of a hundred with their place in %v; wanted %.0f, %v", rate, p99, *auditRate, *auditLag)
		}
		b.ReportMetric(0, "ns/op")
	}
}

// connection is one of an operator's.
func (h hospital) connection(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), h.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// lags are how long ago those happened that have just got a place, from one on.
func (h hospital) lags(t testing.TB, conn *pgx.Conn, from int64) []time.Duration {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT extract(epoch FROM statement_timestamp() - at)::float8 FROM audit_order JOIN audit_event USING (n) WHERE seq >= $1`, from)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (lag time.Duration, err error) {
		var seconds float64
		err = row.Scan(&seconds)
		return time.Duration(seconds * float64(time.Second)), err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
