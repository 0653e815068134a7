// Package needs says what becomes of a test whose needs are not installed.
package needs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Missing skips the test and says what it needs. Where the environment
// variable TIDECHART_REQUIRE_ALL is set, as under make test, it fails the test
// instead: there, nothing is left out unseen.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("TIDECHART_REQUIRE_ALL") != "" {
		t.Fatalf("%s; nothing may be missing here", what)
	}
	t.Skipf("%s (make deps installs what tests need)", what)
}

// Node returns the path of Node.js for a test that runs a script which imports
// the npm packages named. It looks for node_modules in the folders above the
// test's.
func Node(t testing.TB, packages ...string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		Missing(t, "no Node.js")
	}
	modules := "node_modules"
	for dir, err := os.Getwd(); err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
			modules = filepath.Join(dir, "node_modules")
			break
		}
	}
	for _, name := range packages {
		if _, err := os.Stat(filepath.Join(modules, name)); err != nil {
			Missing(t, "no npm package "+name)
		}
	}
	return node
}

// Chromium returns the path of the browser: $CHROMIUM, or what PATH has. The one without a frame around its pages comes first: nobody looks
// at the frame, and to make its tabs, buttons and menus takes as much as the pages do.
func Chromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no browser in PATH, and CHROMIUM is not set to one's path")
}
