package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// postmaster reads <data>/postgres/postmaster.pid, whose lines are: pid, data
// directory, start time, port, socket directory, listen address, …
func (s *server) postmaster() ([]string, error) {
	b, err := os.ReadFile(filepath.Join(s.data, "postgres", "postmaster.pid"))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 5 {
		return nil, fmt.Errorf("postmaster.pid has %d lines", len(lines))
	}
	return lines, nil
}

// postgresTree lists the processes of the private Postgres, the postmaster
// first; none when it does not run.
func (s *server) postgresTree() []int {
	lines, err := s.postmaster()
	if err != nil {
		return nil
	}
	root, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || root <= 1 {
		return nil
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", root))
	if err != nil || !strings.Contains(filepath.Base(exe), "postgres") {
		return nil // a stale file: the pid is gone or someone else's
	}
	return append([]int{root}, children(root)...)
}

// children lists the processes whose parent is pid. Postgres has no grandchildren.
func children(pid int) []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		// "pid (comm) state ppid …", and comm may hold spaces and brackets.
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, child)
		}
	}
	return pids
}

// freezePostgres stops every process of the database. The postmaster stops
// first, so that none is born meanwhile.
func (s *server) freezePostgres(t *testing.T) {
	t.Helper()
	pids := s.signalPostgres(t, syscall.SIGSTOP)
	// One may have been born before the postmaster stopped.
	for _, pid := range children(pids[0]) {
		if !slices.Contains(pids, pid) {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	t.Cleanup(func() { s.thawPostgres() })
}

func (s *server) thawPostgres() {
	for _, pid := range slices.Backward(s.postgresTree()) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
}

// killPostgres ends every process of the database at once, unasked.
func (s *server) killPostgres(t *testing.T) {
	t.Helper()
	s.signalPostgres(t, syscall.SIGKILL)
}

func (s *server) signalPostgres(t *testing.T, sig syscall.Signal) []int {
	t.Helper()
	pids := s.postgresTree()
	if len(pids) == 0 {
		t.Fatalf("no Postgres runs in %s/postgres", s.data)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
			t.Fatalf("signal %v to postgres %d: %v", sig, pid, err)
		}
	}
	return pids
}

// db connects to the private Postgres over its Unix socket.
func (s *server) db(t *testing.T) *pgx.Conn {
	t.Helper()
	lines, err := s.postmaster()
	if err != nil {
		t.Fatal(err)
	}
	dsn := fmt.Sprintf("host=%s port=%s user=tidechart dbname=tidechart", strings.TrimSpace(lines[4]), strings.TrimSpace(lines[3]))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// checkLog fails unless the note's log is seq 1 … head without a hole (I4),
// and returns head.
func (s *server) checkLog(t *testing.T, note string) int64 {
	t.Helper()
	const query = `
		SELECT n.head, count(u.seq), coalesce(min(u.seq), 1), coalesce(max(u.seq), 0)
		  FROM note n LEFT JOIN note_update u ON u.note_id = n.id
		 WHERE n.id = $1 GROUP BY n.head`
	var head, rows, first, last int64
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.db(t).QueryRow(ctx, query, note).Scan(&head, &rows, &first, &last); err != nil {
		t.Fatal(err)
	}
	if rows != head || first != 1 || last != head {
		t.Errorf("log of note %s: head %d, %d rows from seq %d to %d; want seq 1 … head without a hole", note, head, rows, first, last)
	}
	return head
}
