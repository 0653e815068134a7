package server_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/login"
)

var (
	boardViewers = flag.Int("board.viewers", 40, "how many look at the board")
	boardChanges = flag.Int("board.changes", 3, "how many changes they wait for")
	boardWithin  = flag.Duration("board.within", 3*time.Second, "how soon the last of them has each")
)

// TestBoardForManyViewers: a unit of 60 beds, looked at by many people of it at once, half of them nurses who may change it and half
// who may not; a change is with all of them soon, beside other tests. make bench-board has 200 of them look, and 20 changes, each of which has a second.
func TestBoardForManyViewers(t *testing.T) {
	h := open(t)
	h.sql(`INSERT INTO bed (id, unit_id, label, position) SELECT 'big-' || n, '4-west', 'B-' || n, 100 + n FROM generate_series(1, 40) n`)
	h.sql(`UPDATE stay SET bed_id = 'big-' || n FROM (SELECT patient_id, row_number() OVER () AS n FROM stay JOIN bed ON bed.id = stay.bed_id WHERE bed.unit_id <> '4-west') other
		WHERE other.patient_id = stay.patient_id`)
	h.sql(`INSERT INTO person (id, username, name, role, unit_id, color)
		SELECT gen_random_uuid(), 'viewer' || n, 'Viewer ' || n, CASE WHEN n % 2 = 0 THEN 'nurse' ELSE 'student' END, '4-west', n % 8 FROM generate_series(1, $1) n`, *boardViewers)
	boards := make([]*viewer, *boardViewers)
	for i := range boards {
		token, err := login.IssueToken(t.Context(), h.db, login.NewToken{Username: fmt.Sprintf("viewer%d", i+1)})
		if err != nil {
			t.Fatal(err)
		}
		boards[i] = h.look(t, token)
	}
	for _, v := range boards {
		v.awaits(t, "the board", "4-west-01")
	}
	rivera := h.signIn("rivera")
	var took []time.Duration
	for n := range *boardChanges {
		words := []string{"unstable", "watcher"}
		form := h.bedForm(rivera, on4West, url.Values{"severity": {words[n%2]}})
		began := time.Now()
		if h.post303(rivera, on4West, form) == "" {
			t.Fatal("the bed is not changed")
		}
		for _, v := range boards {
			took = append(took, v.awaits(t, "the change", `data-severity="`+words[n%2]+`"`).Sub(began))
		}
	}
	slices.Sort(took)
	t.Logf("60 beds, %d viewers, %d changes: until a viewer has a change p50 %v, p99 %v, max %v",
		*boardViewers, *boardChanges, took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if worst := took[len(took)-1]; worst > *boardWithin {
		t.Errorf("the last had a change after %v, want %v at most", worst, *boardWithin)
	}
}

// viewer is somebody who looks at the board of 4 West, and when each message came.
type viewer struct{ heard chan message }

type message struct {
	at   time.Time
	text string
}

func (h *hospital) look(t *testing.T, token string) *viewer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", h.URL+"/units/4-west/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = bearer(token)
	r, err := http.DefaultClient.Do(req)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r, err)
	}
	v := &viewer{heard: make(chan message, 256)}
	go func() {
		defer func() { _ = r.Body.Close() }()
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(nil, 1<<20)
		var text strings.Builder
		for lines.Scan() {
			if text.WriteString(lines.Text()); lines.Text() != "" {
				continue
			}
			v.heard <- message{time.Now(), text.String()}
			text.Reset()
		}
	}()
	return v
}

// awaits returns when the row of the first bed came that says so.
func (v *viewer) awaits(t *testing.T, what, says string) time.Time {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case m := <-v.heard:
			if _, row, is := strings.Cut(m.text, `id="bed-4-west-01"`); is && strings.Contains(strings.SplitN(row, "</tr>", 2)[0], says) || is && says == "4-west-01" {
				return m.at
			}
		case <-late:
			t.Fatalf("no %s", what)
		}
	}
}
