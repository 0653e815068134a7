package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParsePIDFile(t *testing.T) {
	tests := []struct {
		name, text string
		want       pidFile
		ok         bool
	}{
		{"ready", "12\n/d\n1\n5432\n/tmp/s\n\n1 2\nready   \n", pidFile{12, "/tmp/s", true}, true},
		{"starting", "12\n/d\n1\n5432\n/tmp/s\n\n1 2\nstarting\n", pidFile{12, "/tmp/s", false}, true},
		{"first line only", "12\n", pidFile{pid: 12}, true},
		{"empty", "", pidFile{}, false},
		{"no number", "x\n", pidFile{}, false},
		{"negative, a process group to kill", "-12\n", pidFile{}, false},
		{"zero, our own group to kill", "0\n", pidFile{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parsePIDFile(tt.text)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("parsePIDFile(%q) = %+v, %v; want %+v", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestSocketDirOfSomebodyElseIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	const stranger = 4321
	me := account{name: "me", uid: 1234, gid: 1234, drop: true}
	tests := []struct {
		name string
		make func(path string) error
		ok   bool
	}{
		{"none", func(string) error { return nil }, true},
		{"our own, left open", func(path string) error {
			if err := os.Mkdir(path, 0o777); err != nil {
				return err
			}
			return os.Chown(path, int(me.uid), int(me.gid))
		}, true},
		{"a stranger's", func(path string) error {
			if err := os.Mkdir(path, 0o777); err != nil {
				return err
			}
			return os.Chown(path, stranger, stranger)
		}, false},
		{"a link to a place of ours", func(path string) error { return os.Symlink(t.TempDir(), path) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := t.TempDir()
			path := "/tmp/tidechart-" + fingerprint(data)
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := os.Remove(path); err != nil {
					t.Error(err)
				}
			})
			_, err := socketDir(data, me)
			if (err == nil) != tt.ok {
				t.Fatalf("socketDir: %v", err)
			}
			if !tt.ok {
				return
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if owner, err := ownerID(path); err != nil || owner != me.uid || info.Mode().Perm() != 0o700 {
				t.Errorf("owner %d, mode %v, %v; want %d, 0700", owner, info.Mode(), err, me.uid)
			}
		})
	}
}

func TestTrimLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postgres.log")
	open, err := openLog(path) // as a postmaster has it
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	say := func(s string) {
		t.Helper()
		if _, err := open.WriteString(s); err != nil {
			t.Fatal(err)
		}
		if err := trimLog(path, 8); err != nil {
			t.Fatal(err)
		}
	}
	say("short")
	if got := tail(path, 0); got != "short" {
		t.Errorf("a log within its limit holds %q", got)
	}
	say(" and long")
	say("new")
	if got := tail(path, 0); got != "new" {
		t.Errorf("after trimming the log holds %q", got)
	}
	if old, err := os.ReadFile(path + ".1"); err != nil || string(old) != "short and long" {
		t.Errorf("the older log holds %q, %v", old, err)
	}
}

func TestTailIsOfThisStartOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postgres.log")
	if err := os.WriteFile(path, []byte("older\n"+strings.Repeat("x", 3*tailMax)+"last"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tail(path, 0); len(got) != tailMax || !strings.HasSuffix(got, "last") {
		t.Errorf("tail has %d bytes and ends with %q", len(got), got[max(0, len(got)-4):])
	}
	if got := tail(path, int64(6+3*tailMax)); got != "last" {
		t.Errorf("tail from the offset is %q", got)
	}
}

func TestDistributionAndAdvice(t *testing.T) {
	tests := []struct{ name, osRelease, want string }{
		{"Debian", "PRETTY_NAME=\"Debian\"\nID=debian\n", "apt-get install postgresql"},
		{"a child of Ubuntu", "ID=pop\nID_LIKE=\"ubuntu debian\"\n", "apt-get install postgresql"},
		{"Rocky", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "dnf install postgresql-server"},
		{"Alpine", "ID=alpine\n", "apk add postgresql"},
		{"unknown", "ID=plan9\n", "https://www.postgresql.org/download/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "os-release")
			if err := os.WriteFile(path, []byte(tt.osRelease), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := advice("linux", distribution(path), 0); !strings.Contains(got, tt.want) {
				t.Errorf("advice is %q, want %q", got, tt.want)
			}
		})
	}
	if got := advice("darwin", "", 16); got != "brew install postgresql@16" {
		t.Errorf("advice for a Mac is %q", got)
	}
}

func TestNumberIn(t *testing.T) {
	for path, want := range map[string]int{
		"/usr/lib/postgresql/15/bin":         15,
		"/usr/libexec/postgresql17":          17,
		"/opt/homebrew/opt/postgresql@9/bin": 9,
		"/usr/local/pgsql/bin":               0,
	} {
		if got := numberIn(path); got != want {
			t.Errorf("numberIn(%q) = %d, want %d", path, got, want)
		}
	}
}
