package e2e

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patience limits each wait for something that must happen. It is generous:
// a passing run never waits it out, and a slow machine is no failure.
var patience = 90 * time.Second

// binary is the tidechart under test, made by TestMain.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", startAll); err != nil {
		panic(err) // the flag is the testing package's own
	}
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	if s := os.Getenv("E2E_PATIENCE"); s != "" {
		var err error
		if patience, err = time.ParseDuration(s); err != nil {
			return 0, fmt.Errorf("E2E_PATIENCE: %w", err)
		}
	}
	if binary = os.Getenv("E2E_BINARY"); binary == "" {
		dir, err := os.MkdirTemp("", "tidechart-e2e")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "tidechart")
		if err := build(binary); err != nil {
			return 0, err
		}
	}
	code := m.Run()
	stopChromium()
	seeded.close()
	return code, shared.close()
}

func build(path string) error {
	args := []string{"build", "-o", path}
	if os.Getenv("E2E_RACE") != "" {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/tidechart")...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build tidechart: %w\n%s", err, out)
	}
	return nil
}

// seed is E2E_SEED or a new one, and says which, so that a failure can be
// repeated.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := rand.Uint64N(1 << 31)
	if s := os.Getenv("E2E_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 31); err != nil {
			t.Fatalf("E2E_SEED: %v", err)
		}
	}
	t.Logf("seed %d (repeat with E2E_SEED=%d)", n, n)
	return n
}

// envInt is the number in an environment variable, or fallback.
func envInt(t *testing.T, name string, fallback int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return fallback
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
