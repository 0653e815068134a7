package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const beingRelaxed = "TIDECHART_TEST_BEING_RELAXED"

func TestEveryThreadHasTheSlack(t *testing.T) {
	if os.Getenv(beingRelaxed) != "" {
		relaxTimers()
		runtime.LockOSThread() // whose own slack anybody may read
		tasks, err := filepath.Glob("/proc/self/task/*")
		if err != nil || len(tasks) < 2 {
			t.Fatal(tasks, err)
		}
		for _, task := range tasks {
			slack, err := os.ReadFile(filepath.Join("/proc", filepath.Base(task), "timerslack_ns"))
			if errors.Is(err, fs.ErrPermission) {
				continue // that of the others is for who may set it: CAP_SYS_NICE
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println("slack", strings.TrimSpace(string(slack)), os.Getpid(), os.Getppid())
		}
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), beingRelaxed+"=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, all := fmt.Sprintf("slack %d %d %d", timerSlack, child.Process.Pid, os.Getpid()), 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "slack ") { // not a line of the test's own
			continue
		}
		if all++; strings.TrimSpace(line) != want {
			t.Errorf("a thread of the process begun once more has %q, want %q", line, want)
		}
	}
	if all == 0 {
		t.Errorf("no thread says its slack:\n%s", out)
	}
}
