package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/server/vault"
)

// TestMassReadingIsReviewed: what is unusual is found within two seconds though a hundred people have opened a thousand records
// each within the week, many of them more than once.
func TestMassReadingIsReviewed(t *testing.T) {
	if testing.Short() || needs.Raced {
		t.Skip("seals 5,000 patients, and takes the time of a search; make test does, without the race detector")
	}
	keys, err := vault.New(vault.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), postgrestest.URL(t), keys)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.commits.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	err = db.transact(t.Context(), pgx.TxOptions{}, func(q *queries.Queries) (err error) { // 5,000 commits take a minute
		for n := 1; n <= 5000 && err == nil; n++ {
			p := Patient{ID: uuid.New(), Mrn: fmt.Sprintf("mass-%d", n), Family: fmt.Sprintf("Family%d", n), Given: "Given", BirthDate: time.Now(), Vip: n%100 == 0}
			if n%50 == 0 {
				p.Family = fmt.Sprintf("Reader%d", n%100)
			}
			_, err = db.insertPatient(t.Context(), q, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`SET session_replication_role = replica`, // without triggers, in a third of the time
		`INSERT INTO person (id, username, name, role, color)
		 SELECT gen_random_uuid(), 'mass' || n, 'Mass Reader' || n, 'nurse', 0 FROM generate_series(1, 100) n`,
		`INSERT INTO opening (person_id, patient_id, how, ties, at, minute)
		 SELECT person.id, patient.id, CASE WHEN again = 1 THEN 'denied' ELSE 'page' END, CASE WHEN again = 1 THEN '' ELSE 'unit' END,
		        now() - random() * interval '6 days 20 hours', again
		   FROM (SELECT id, row_number() OVER (ORDER BY username) AS n FROM person WHERE username LIKE 'mass%') person
		   JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM patient) patient
		     ON (patient.n - person.n * 37 + 5000) % 5000 < 1000
		  CROSS JOIN generate_series(1, 2) again`,
		`RESET session_replication_role`,
		`ANALYZE`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 2 * time.Second
	best := time.Hour
	var rows []UnusualRow
	for range 3 { // the machine may be busy
		began := time.Now()
		rows, err = db.Unusual(t.Context(), queries.UnusualParams{Many: 60, Since: time.Now().Add(-7 * 24 * time.Hour), OfOne: 10, MaxRows: 100})
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	if len(rows) != 100 || rows[0].Weight < rows[len(rows)-1].Weight || !rows[0].Bulk {
		t.Errorf("%d rows, or not the gravest first", len(rows))
	}
	if best > limit {
		t.Errorf("the review of activity takes %v, want %v at most", best, limit)
	}
	t.Logf("%v", best)
}
