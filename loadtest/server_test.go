package loadtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/loadtest"
	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/demo/demotest"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// tidechart starts a server full of synthetic patients and returns a load on it.
func tidechart(t *testing.T) loadtest.Config {
	t.Helper()
	c, _, _ := tidechartOn(t)
	return c
}

// tidechartOn is tidechart, with its database and where that is.
func tidechartOn(t *testing.T) (loadtest.Config, *store.DB, string) {
	t.Helper()
	db, url := demotest.Open(t)
	log := slog.New(slog.DiscardHandler)
	hub := sessions.NewHub(db, log)
	t.Cleanup(func() { _ = hub.Close(context.Background()) })
	edge := server.New(server.Config{DB: db, Hub: hub, Log: log, Version: "test"})
	watch, stop := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() { defer close(watched); edge.Watch(watch) }()
	t.Cleanup(func() { stop(); <-watched })
	web := httptest.NewServer(edge.Handler())
	t.Cleanup(web.Close)
	t.Cleanup(edge.Drain)
	c := brief(web.URL)
	for _, user := range []string{"chen", "okafor", "rivera", "haddad"} {
		token, err := login.IssueToken(t.Context(), db, login.NewToken{Username: user})
		if err != nil {
			t.Fatal(err)
		}
		c.Tokens = append(c.Tokens, token)
	}
	return c, db, url
}

// witness is somebody whose rights are withdrawn as change says.
func witness(db *store.DB, username string, withdraw, back login.Change) loadtest.Witness {
	alter := func(ctx context.Context, c login.Change) error {
		_, err := login.Alter(ctx, db, uuid.Nil, username, c)
		return err
	}
	return loadtest.Witness{
		Admit: func(ctx context.Context) (string, error) {
			if err := alter(ctx, back); err != nil {
				return "", err
			}
			return login.IssueToken(ctx, db, login.NewToken{Username: username})
		},
		Withdraw: func(ctx context.Context) error { return alter(ctx, withdraw) },
	}
}

// TestRevocationUnderLoad: while others type, somebody is suspended, and somebody loses their role, again and again. The last
// frame that any of their sockets is given comes within a second of that.
func TestRevocationUnderLoad(t *testing.T) {
	c, db, _ := tidechartOn(t)
	yes, no, administrator, pharmacist := true, false, "administrator", "pharmacist"
	name, attending, unit := "Nina New", "attending", "4-west"
	if _, err := login.Add(t.Context(), db, "new", login.Change{Name: &name, Role: &attending, Unit: &unit}); err != nil {
		t.Fatal(err)
	}
	c.Witnesses = []loadtest.Witness{
		witness(db, "new", login.Change{Suspended: &yes}, login.Change{Suspended: &no}),
		witness(db, "sato", login.Change{Role: &administrator}, login.Change{Role: &pharmacist}),
	}
	c.Notes, c.Revocations, c.Duration = 5, 3, 3*time.Second
	if !testing.Short() {
		c.Notes, c.Revocations, c.Duration = 10, 15, 15*time.Second
	}
	r := run(t, t.Context(), c)
	if v, want := r.Revocations, 2*c.Notes*c.Revocations; !r.OK() || v.Wanted != want || v.Ended != want || v.LastFrame.Count != int64(want) || v.LastFrame.Max > time.Second {
		t.Errorf("ok %v, revocations %+v; want %d of them", r.OK(), v, want)
	}
}

// TestRightsThatAreNotWithdrawn: whoever goes on being given what others type fails the server.
func TestRightsThatAreNotWithdrawn(t *testing.T) {
	c, db, _ := tidechartOn(t)
	name := "Yuki Sato"
	c.Witnesses = []loadtest.Witness{witness(db, "sato", login.Change{Name: &name}, login.Change{Name: &name})}
	c.Revocations, c.Notes = 1, 1
	if r := run(t, t.Context(), c); r.OK() || r.Revocations.Wanted != 1 || r.Revocations.Ended != 0 {
		t.Errorf("ok %v, revocations %+v", r.OK(), r.Revocations)
	}
}

// brief is a load of two seconds.
func brief(url string) loadtest.Config {
	c := loadtest.Defaults()
	c.URL, c.Notes, c.Clients, c.Rate = url, 2, 4, 20
	c.Warmup, c.Duration, c.SlowEvery = 200*time.Millisecond, 1500*time.Millisecond, 50*time.Millisecond
	return c
}

// run runs a load and checks what every report says.
func run(t *testing.T, ctx context.Context, c loadtest.Config) *loadtest.Report {
	t.Helper()
	r, err := loadtest.Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	var text, machine bytes.Buffer
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("report:\n%s", &text)
	if err := r.PrintJSON(&machine); err != nil {
		t.Fatal(err)
	}
	var back struct {
		OK *bool `json:"ok"`
	}
	if err := json.Unmarshal(machine.Bytes(), &back); err != nil || back.OK == nil || *back.OK != r.OK() {
		t.Errorf("JSON says ok %v, %v; want %v", back.OK, err, r.OK())
	}
	if got := !strings.Contains(text.String(), "FAILED"); got != r.OK() {
		t.Errorf("the text says ok: %v; want %v", got, r.OK())
	}
	return r
}

// TestTidechartBearsALoad: both protocols, slow readers, presence, a filled note, and a storm of joins.
func TestTidechartBearsALoad(t *testing.T) {
	c := tidechart(t)
	c.Slow, c.Presence, c.Joins, c.Size, c.PIDs = 1, true, 6, 400_000, []int{os.Getpid()}
	r := run(t, t.Context(), c)
	k := r.Keystrokes
	if !r.OK() || k.Sent < 50 || k.Delivered != k.Expected || k.Saved != k.Sent || r.Documents.Compared != 14 {
		t.Errorf("ok %v, keystrokes %+v, %d replicas compared; want all delivered and 14 compared", r.OK(), k, r.Documents.Compared)
	}
	if r.ToPeer.Count == 0 || r.ToSaved.Count == 0 || r.ToPeer.P50 <= 0 || r.ToPeer.P50 > r.ToPeer.P99 || r.ToPeer.P99 > r.ToPeer.Max {
		t.Errorf("to peer %+v, to saved %+v", r.ToPeer, r.ToSaved)
	}
	if r.Joins.Synced != 6 || r.Joins.Latency.Count != 6 || r.Presence == 0 {
		t.Errorf("joins %+v, %d states of presence", r.Joins, r.Presence)
	}
}

// TestEndsEarly: whoever presses Ctrl-C gets the figures so far.
func TestEndsEarly(t *testing.T) {
	c := tidechart(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.Duration = time.Hour
	c.Progress = func(line string) {
		if strings.Contains(line, " keystrokes, ") && !strings.HasPrefix(line, "0 ") {
			cancel()
		}
	}
	r := run(t, ctx, c)
	if !r.OK() || !r.Early || r.Keystrokes.Sent == 0 || r.Keystrokes.Delivered != r.Keystrokes.Expected {
		t.Errorf("ok %v, early %v, keystrokes %+v", r.OK(), r.Early, r.Keystrokes)
	}
}

// TestDeniedClientsAreReported: a server that wants nobody is not one that lost nothing.
func TestDeniedClientsAreReported(t *testing.T) {
	c := tidechart(t)
	c.Tokens = append(c.Tokens[:1], "tide_nobody") // half of the clients, of either kind
	c.Duration, c.Drain = 300*time.Millisecond, 0
	r := run(t, t.Context(), c)
	if r.OK() || r.Connections.Synced != 4 || r.Connections.Drops < 4 {
		t.Errorf("ok %v, connections %+v; want 4 of 8", r.OK(), r.Connections)
	}
}
