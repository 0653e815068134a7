package postgres_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
	"github.com/clisonix/tidechart/server/postgres/postgrestest"
)

func TestPostgresIsNotRoot(t *testing.T) {
	t.Parallel()
	info, err := os.Stat(postgrestest.Server(t).Cluster())
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if stat.Uid == 0 {
		t.Error("the cluster belongs to root")
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the cluster has mode %o", info.Mode().Perm())
	}
}

// TestClosedParent starts as root in a place that the user of Postgres cannot
// reach, such as below /root or mktemp -d.
func TestClosedParent(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs Postgres as another user")
	}
	dir := newDir(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	first := start(t, dir)
	save(t, first)
	target, err := os.Readlink(filepath.Join(dir, "postgres"))
	if err != nil || target != first.Cluster() || !strings.HasPrefix(target, "/var/lib/tidechart/") {
		t.Errorf("the cluster is %s; the link says %s, %v", first.Cluster(), target, err)
	}
	stop(t, first)
	second := start(t, dir)
	saved(t, second)
	if url, err := postgres.Running(dir); err != nil || url != second.URL() {
		t.Errorf("Running = %q, %v; want %q", url, err, second.URL())
	}
}

// TestStrangerIsRefused opens all doors but the kernel's word on who knocks.
func TestStrangerIsRefused(t *testing.T) {
	long(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	s := start(t, newDir(t))
	config, err := pgx.ParseConfig(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{config.Host: 0o755, config.Host + "/.s.PGSQL.5432": 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"daemon", "root"} {
		said := as(t, name, []string{"CONNECT_TO=" + s.URL()})
		if in, want := strings.HasPrefix(said, "connected"), name == "root"; in != want {
			t.Errorf("user %s: %s", name, said)
		}
		if name == "daemon" && !strings.Contains(strings.ToLower(said), "peer") {
			t.Errorf("user %s is kept out by something else: %s", name, said)
		}
	}
}

// TestWithoutRoot runs tests of each kind as another user.
func TestWithoutRoot(t *testing.T) {
	long(t)
	if os.Geteuid() != 0 {
		t.Skip("this is without root")
	}
	postgrestest.Require(t)
	said := as(t, "daemon", nil, "-test.v", "-test.timeout=5m",
		"-test.run=^Test(Restart|Second|Running|NoTCP|PostgresIsNotRoot|KilledPostmaster|KilledOwner)")
	if !strings.Contains(said, "--- PASS: TestRestartKeepsData") || !strings.HasSuffix(said, "PASS\n") {
		t.Errorf("as daemon:\n%s", said)
	}
}

// TestWithoutSightOfOthers runs the tests that find processes as root in a
// container is: not allowed to look at processes of another user.
func TestWithoutSightOfOthers(t *testing.T) {
	long(t)
	setpriv, err := exec.LookPath("setpriv")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs root, and setpriv to give up a capability")
	}
	postgrestest.Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, setpriv, "--bounding-set=-sys_ptrace", os.Args[0],
		"-test.v", "-test.timeout=5m", "-test.run=^Test(KilledPostmaster|KilledOwner|KilledTogether|Running|Blind)")
	cmd.Env = append(os.Environ(), "EXPECT_BLIND=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestBlind") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestBlind proves that TestWithoutSightOfOthers takes the sight away.
func TestBlind(t *testing.T) {
	if os.Getenv("EXPECT_BLIND") == "" {
		t.Skip("for TestWithoutSightOfOthers")
	}
	exe := filepath.Join("/proc", strconv.Itoa(postgrestest.Server(t).PID()), "exe")
	if _, err := os.Readlink(exe); !errors.Is(err, os.ErrPermission) {
		t.Errorf("reading the link to another user's program: %v", err)
	}
}

// TestOwnerOfClusterRunsIt starts on a cluster that root has given to
// somebody else than it would choose.
func TestOwnerOfClusterRunsIt(t *testing.T) {
	long(t)
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	dir := newDir(t)
	first := start(t, dir)
	save(t, first)
	stop(t, first)
	daemon, err := user.Lookup("daemon")
	if err != nil {
		t.Skip(err)
	}
	uid, err := strconv.Atoi(daemon.Uid)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(first.Cluster(), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, -1))
	})
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, dir)
	saved(t, second)
	info, err := os.Stat(filepath.Join(second.Cluster(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if got := int(info.Sys().(*syscall.Stat_t).Uid); got != uid {
		t.Errorf("the postmaster runs as user %d, want %d", got, uid)
	}
}

// as runs this test binary as another user and returns what it printed.
func as(t *testing.T, name string, env []string, args ...string) string {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Skip(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.MkdirTemp("", "tidechart-test-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	binary := filepath.Join(home, "postgres.test")
	copyFile(t, os.Args[0], binary)
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "TMPDIR="+home, "USER="+name)
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as %s: %v", name, err)
	}
	return string(out)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	// A child that is forked now would hold the copy open for writing, and
	// then it could not be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func ping(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
