package postgres

import (
	"context"
	"fmt"
	"syscall"

	"github.com/jackc/pgx/v5"
)

const (
	// LogFiles is how many files of its log a server that is written to all the time has ready: 160 MB. min_wal_size keeps as many.
	LogFiles = 10

	logFileSize = 16 << 20
	roomToSpare = 16 // files are laid out only if there is room for as many times as many
)

// LayOutLog has n files of the server's log ready, if there is room. A commit that begins a new file otherwise waits until that is
// filled with zeros and on disk, for a tenth of a second, and everybody else's with it; a server that has run for a while uses old
// files again. It takes about a second, and is no part of [Server.Start]: somebody may be waiting for that.
func (s *Server) LayOutLog(ctx context.Context, n int) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(s.Cluster(), &disk); err != nil {
		return fmt.Errorf("look for room on disk: %w", err)
	}
	if disk.Bavail*uint64(disk.Bsize) < uint64(n)*logFileSize*roomToSpare {
		return nil
	}
	if err := s.layOutLog(ctx, n); err != nil {
		return fmt.Errorf("lay out files of the log: %w", err)
	}
	return nil
}

// layOutLog goes through n files, which are ready again once a checkpoint says that nobody needs what is in them.
func (s *Server) layOutLog(ctx context.Context, n int) error {
	conn, err := pgx.Connect(ctx, s.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // nothing is under way
	var ready int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn()) AND name ~ '^[0-9A-F]{24}$'").Scan(&ready); err != nil {
		return err
	}
	if ready >= n {
		return nil
	}
	for range n {
		if _, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(false, 'tidechart', ''), pg_switch_wal()"); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, "CHECKPOINT")
	return err
}
