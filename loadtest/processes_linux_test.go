package loadtest

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "42 (a) b (c) S 7 42 42 0 -1 4194560 9 0 0 0 150 25 3 2 20 0 1 0 1 1 1"
	pid, p, err := parseStat([]byte(line))
	want := process{name: "a) b (c", parent: 7, cpu: 1800 * time.Millisecond}
	if err != nil || pid != 42 || p != want {
		t.Errorf("parseStat = %d, %+v, %v; want 42, %+v", pid, p, err, want)
	}
	for _, bad := range []string{"", "42", "42 (a)", "42 (a) S x 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "42 (a) S 1 1 1 1 1 1 1 1 1 1 x 1 1 1 1"} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("parseStat(%q) has no error", bad)
		}
	}
}

func TestParseMachine(t *testing.T) {
	got, err := parseMachine("cpu  100 20 3 99999 8888 7 50 6 5 4\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
	if want := (machineTime{busy: 1800 * time.Millisecond, stolen: 60 * time.Millisecond}); err != nil || got != want {
		t.Errorf("parseMachine = %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "cpu0 1 1 1 1 1 1 1 1", "cpu 1 1 1", "cpu 1 1 1 1 1 1 x 1"} {
		if _, err := parseMachine(bad); err == nil {
			t.Errorf("parseMachine(%q) has no error", bad)
		}
	}
}

// TestUsageIncludesChildren: a server's helpers are the server's.
func TestUsageIncludesChildren(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = child.Wait() })
	self := os.Getpid()
	pids, err := serverProcesses([]int{self})
	if err != nil || !slices.Contains(pids, self) || !slices.Contains(pids, child.Process.Pid) || slices.Contains(pids, os.Getppid()) {
		t.Errorf("processes of %d: %v, %v; want also its child %d, not its parent %d", self, pids, err, child.Process.Pid, os.Getppid())
	}
	u, err := readUsages([]int{self})
	if err != nil || u.server.Memory < 1<<20 {
		t.Errorf("usage %+v, %v; want some megabytes", u.server, err)
	}
	if _, err := readUsages([]int{1 << 30}); err == nil {
		t.Error("a process that is not there has no error")
	}
}
