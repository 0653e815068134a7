package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"
)

// settings is the cluster's postgresql.conf.
//
//go:embed postgresql.conf
var settings string

// initdb makes an empty cluster with our role and database in dir.
func (s *site) initdb(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, initLimit, fmt.Errorf("not done after %v", initLimit))
	defer cancel()
	// The C locale is built in: the same order and the same upper case on
	// every machine, and no index that a new libc would silently corrupt.
	err := s.command(ctx, "/", nil, "initdb", "--pgdata", dir, "--username", role,
		"--encoding", "UTF8", "--locale", "C", "--data-checksums", "--auth", "peer", "--no-instructions")
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	// An error of a session quotes values ("invalid input syntax: …"). Its
	// client is told; the log of the server is not (I14).
	first := strings.NewReader("CREATE DATABASE " + database + "\n" +
		"ALTER ROLE " + role + " SET log_min_messages = log\n")
	err = s.command(ctx, "/", first, "postgres", "--single", "-D", dir, "-c", "exit_on_error=on", "postgres")
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return nil
}

// configure writes the cluster's settings and who may connect, at each start:
// the program may be newer than the cluster, and the user another one.
func (s *site) configure() error {
	me, err := user.Current()
	if err != nil {
		return err
	}
	const note = "# Written at every start; changes are lost. Add settings to local.conf instead.\n"
	ident := note
	for _, name := range []string{s.account.name, me.Username} {
		ident += fmt.Sprintf("tidechart \"%s\" %s\n", strings.ReplaceAll(name, `"`, `""`), role)
	}
	for name, text := range map[string]string{
		"postgresql.conf": note + settings,
		"pg_hba.conf":     note + "local all all peer map=tidechart\n",
		"pg_ident.conf":   ident,
	} {
		if err := s.write(name, text); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// write replaces a file of the cluster. The directory belongs to the less
// privileged user of Postgres: no link in it may lead this process outside.
func (s *site) write(name, text string) error {
	root, err := os.OpenRoot(s.cluster)
	if err != nil {
		return err
	}
	defer root.Close()
	next := name + ".new"
	if err := root.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := root.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil && s.account.drop {
		err = f.Chown(int(s.account.uid), int(s.account.gid))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Rename(next, name)
}

// command runs one of the Postgres binaries as the account, in dir, to its
// end. The error holds the end of what it printed.
func (s *site) command(ctx context.Context, dir string, in io.Reader, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.install.bin, name), args...)
	cmd.Dir = dir // the caller's own may be closed to the account
	cmd.Env = environment()
	cmd.SysProcAttr = s.account.attributes()
	cmd.Stdin = in
	cmd.WaitDelay = time.Second
	out := &tailWriter{max: outputMax}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%s: %w%s", name, err, quoted(out.String()))
}

// environment is all that Postgres inherits: no PGPORT, no LC_ALL of ours.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, key := range []string{"PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}

// tailWriter keeps the last max bytes written to it.
type tailWriter struct {
	max int
	b   []byte
}

func (w *tailWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	if over := len(w.b) - w.max; over > 0 {
		w.b = append(w.b[:0], w.b[over:]...)
	}
	return len(p), nil
}

func (w *tailWriter) String() string { return string(w.b) }

// quoted sets off what a program said at the end of an error.
func quoted(said string) string {
	said = strings.TrimSpace(said)
	if said == "" {
		return ""
	}
	return "; it said:\n\t" + strings.ReplaceAll(said, "\n", "\n\t")
}
