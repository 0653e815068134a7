package e2e

import (
	"encoding/json"
	"runtime"
	"strconv"
	"testing"
)

// TestLoadtest: the operator's command finds nothing wrong with the server, and tells its Postgres from it.
func TestLoadtest(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	args := []string{
		"loadtest", s.url, "--json", "--notes=2", "--clients=4", "--slow=1", "--presence", "--joins=3", "--warmup=200ms", "--duration=1s",
		"--server-pid=" + strconv.Itoa(s.cmd.Process.Pid),
		"--revoke=sato", "--revocations=2", "--data=" + s.data,
	}
	for _, user := range []string{"chen", "okafor", "rivera", "haddad"} {
		args = append(args, "--token="+s.token(t, user))
	}
	out, err := s.command(t.Context(), args...)
	if err != nil {
		t.Fatalf("tidechart loadtest: %v\n%s", err, out)
	}
	var r struct {
		OK         bool
		Keystrokes struct{ Sent, Saved, Delivered, Expected int }
		Documents  struct{ Notes, Replicas, Compared, Faults int }

		Revocations struct {
			Wanted, Ended int
			LastFrame     struct{ Count, MaxMs float64 }
		}
		Server   struct{ Memory int }
		Database struct{ Memory int }
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("report: %v\n%s", err, out)
	}
	if k := r.Keystrokes; !r.OK || k.Sent == 0 || k.Saved != k.Sent || k.Delivered != k.Expected || k.Expected != 3*k.Sent {
		t.Errorf("keystrokes %+v; want each saved, and delivered to three", k)
	}
	if d := r.Documents; d.Notes != 2 || d.Replicas != 11 || d.Compared != 11 || d.Faults != 0 {
		t.Errorf("documents %+v; want 11 replicas of 2 notes compared", d)
	}
	if v := r.Revocations; v.Wanted != 4 || v.Ended != 4 || v.LastFrame.Count != 4 || v.LastFrame.MaxMs > 1000 {
		t.Errorf("revocations %+v; want 2 of 2 sockets, and nothing delivered a second later", v)
	}
	if runtime.GOOS == "linux" && (r.Server.Memory < 1<<20 || r.Database.Memory < 1<<20) {
		t.Errorf("memory of the server %d, of its Postgres %d; want megabytes", r.Server.Memory, r.Database.Memory)
	}
}

// TestLoadtestFails: a server that lets nobody in does not pass.
func TestLoadtestFails(t *testing.T) {
	t.Parallel()
	s := shared.get(t)
	for _, args := range [][]string{
		{"--token=tide_nobody"},
		{"--no-auth"},
		{},
		{"--token=" + s.token(t, "chen"), "--token=tide_nobody", "--notes=1", "--clients=2", "--warmup=0s", "--duration=100ms", "--drain=0s"},
	} {
		if out, err := s.command(t.Context(), append([]string{"loadtest", s.url}, args...)...); err == nil {
			t.Errorf("tidechart loadtest with %d arguments says all is well:\n%s", len(args), out)
		}
	}
}
