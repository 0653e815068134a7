package postgrestest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/clisonix/tidechart/server/postgres"
)

// Networked starts a server that belongs to the test alone, and that listens as a hospital's own would: on a TCP port, with TLS by the
// certificate, PEM. It lets anybody in, with TLS and without. The connection string names localhost, and no sslmode.
func Networked(t testing.TB, cert, key []byte) *url.URL {
	t.Helper()
	server := New(t)
	bin, err := postgres.Find()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := server.Stop(ctx); err != nil { // it has made the cluster
		t.Fatal(err)
	}
	info, err := os.Stat(server.Cluster())
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	file := func(name string, text []byte) string {
		path := filepath.Join(server.Cluster(), name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	port := freePort(t)
	said, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", server.Cluster(), "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port),
		"-c", "unix_socket_directories=", "-c", "hba_file="+file("hba", []byte("host all all 127.0.0.1/32 trust\n")),
		"-c", "ssl=on", "-c", "ssl_cert_file="+file("cert.pem", cert), "-c", "ssl_key_file="+file("key.pem", key))
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", said, said
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("postgres: %v", err)
		}
		_ = said.Close() // only for whoever looks at a failure
	})
	at := &url.URL{Scheme: "postgres", User: url.User("tidechart"), Host: net.JoinHostPort("localhost", strconv.Itoa(port)), Path: "/tidechart"}
	await(ctx, t, at.String(), said.Name())
	return at
}

// await waits until a server answers.
func await(ctx context.Context, t testing.TB, at, log string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, at)
		if err == nil {
			_ = conn.Close(ctx) // it has answered
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := os.ReadFile(log)
			t.Fatal(fmt.Errorf("postgres does not answer: %w\n%s", err, text))
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it is Postgres's now
	return l.Addr().(*net.TCPAddr).Port
}
