package store_test

import (
	"flag"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store/queries"
)

// Long forms have a hospital's years: make bench-reviews.
var (
	reviewSessions = flag.Int("reviews.sessions", 3_000, "sessions that are searched")
	reviewLimit    = flag.Duration("reviews.limit", 200*time.Millisecond, "what one page may take")
)

// sessionsOfYears fills a hospital with sessions: of 400 patients with five notes each, ten rows of a log in each session.
const sessionsOfYears = `
	INSERT INTO person (id, username, name, role, color) SELECT gen_random_uuid(), 'user' || n, 'User ' || n, 'nurse', n % 8 FROM generate_series(1, 200) AS n;
	INSERT INTO unit (id, facility_id, name) VALUES ('other', 'f', 'Other');
	INSERT INTO patient (id, sealed, mrn_index, vip) SELECT gen_random_uuid(), sealed, sha256(n::text::bytea), false FROM patient, generate_series(1, 400) AS n;
	INSERT INTO note (id, patient_id, unit_id, kind, title, created_by, head)
	SELECT gen_random_uuid(), patient.id, CASE WHEN n = 5 THEN 'other' ELSE '4w' END, 'progress', 'x', (SELECT id FROM person WHERE username = 'ada'), 0
	  FROM patient, generate_series(1, 5) AS n;
	CREATE TEMP TABLE notes AS SELECT id, row_number() OVER () AS n FROM note;
	CREATE TEMP TABLE people AS SELECT id, row_number() OVER () AS n FROM person WHERE username LIKE 'user%';
	INSERT INTO session (id, note_id, started_at, ended_at, words, counted)
	SELECT gen_random_uuid(), notes.id, now() - i * interval '5 minutes', CASE WHEN i > 40 THEN now() - i * interval '5 minutes' + interval '20 minutes' END, i % 500, i > 40
	  FROM generate_series(1, $1::int) AS i JOIN notes ON notes.n = 1 + i % (SELECT count(*) FROM notes);
	CREATE TEMP TABLE sittings AS SELECT session.*, row_number() OVER (ORDER BY started_at) AS n FROM session;
	INSERT INTO participation (id, session_id, person_id, joined_at, left_at, device)
	SELECT gen_random_uuid(), sittings.id, people.id, started_at, ended_at, 'Firefox on Windows'
	  FROM sittings JOIN generate_series(0, 2) AS k ON true JOIN people ON people.n = 1 + (sittings.n * 7 + k * 13) % 200;
	INSERT INTO note_update (note_id, seq, author_id, session_id, data, at)
	SELECT note_id, 10 * row_number() OVER (PARTITION BY note_id ORDER BY sittings.n) + k, people.id, sittings.id, decode(repeat('00', 60), 'hex'), started_at + k * interval '1 minute'
	  FROM sittings JOIN generate_series(1, 10) AS k ON true JOIN people ON people.n = 1 + (sittings.n * 7) % 200;
	INSERT INTO stretch (session_id, person_id, first_seq, last_seq, first_at, last_at, edits, typed, typed_words, pasted, pasted_words, deleted, deleted_words)
	SELECT sittings.id, people.id, 10 * k + 1, 10 * k + 10, started_at, started_at + interval '10 minutes', 10, 50, 10, 0, 0, 1, 0
	  FROM sittings JOIN generate_series(0, 2) AS k ON true JOIN people ON people.n = 1 + (sittings.n * 7 + k * 13) % 200;
	INSERT INTO audit_event (act, outcome, who, patient_id, note_id, code, at)
	SELECT 'access', CASE WHEN n % 10 = 0 THEN 'refused' ELSE 'done' END, NULL, note.patient_id, note.id, '', started_at + interval '1 minute' FROM sittings JOIN note ON note.id = note_id;
	ANALYZE`

// TestReviewOfManySessions: a page of any filter and order is there at once, however many sessions a hospital has had.
func TestReviewOfManySessions(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	h.must(t, strings.ReplaceAll(sessionsOfYears, "$1", strconv.Itoa(*reviewSessions)))
	person := one[uuid.UUID](t, h, "SELECT id FROM person WHERE username = 'user1'")
	patient := one[uuid.UUID](t, h, "SELECT patient_id FROM note WHERE unit_id = 'other' LIMIT 1")
	middle := one[time.Time](t, h, "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY started_at) FROM session")
	since, soon, words := middle.Add(-24*time.Hour), time.Now().Add(24*time.Hour), int64(250)
	of := func(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: true} }
	for name, p := range map[string]queries.FindSessionsParams{
		"the newest":           {Sort: "newest"},
		"the oldest":           {Sort: "oldest"},
		"most words":           {Sort: "words"},
		"live":                 {Sort: "newest", State: "live"},
		"ended":                {Sort: "newest", State: "ended"},
		"a page in the middle": {Sort: "newest", After: of(uuid.New()), AfterAt: &middle},
		"the oldest, later":    {Sort: "oldest", After: of(uuid.New()), AfterAt: &middle},
		"most words, later":    {Sort: "words", After: of(uuid.New()), AfterWords: &words},
		"of somebody":          {Sort: "newest", Person: of(person)},
		"of nobody":            {Sort: "newest", Person: of(uuid.New())},
		"about a patient":      {Sort: "newest", Patient: of(patient)},
		"about nobody":         {Sort: "oldest", Patient: of(uuid.New())},
		"of a unit":            {Sort: "newest", Unit: "other"},
		"of a day":             {Sort: "newest", Since: &since, Until: &middle},
		"of a day, the oldest": {Sort: "oldest", Since: &since, Until: &middle},
		"of days to come":      {Sort: "oldest", Since: &soon},
		"of somebody about a patient on a unit, most words": {Sort: "words", Person: of(person), Patient: of(patient), Unit: "other", State: "ended"},
	} {
		p.MaxRows = 51
		if _, err := h.db.Sittings(ctx, p); err != nil { // patients' keys are looked up once
			t.Fatal(err)
		}
		began := time.Now()
		found, err := h.db.Sittings(ctx, p)
		took := time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-50s %3d sessions in %v", name, len(found), took.Round(100*time.Microsecond))
		if took > *reviewLimit {
			t.Errorf("%s: %v, want %v at most", name, took, *reviewLimit)
		}
	}
}
