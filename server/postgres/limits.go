package postgres

import "time"

// How long, and how much (I10).
const (
	startLimit    = 3 * time.Minute  // Start as a whole: initdb, leftovers, crash recovery
	initLimit     = 90 * time.Second // initdb, then the first session
	readyLimit    = 2 * time.Minute  // from exec to accepting connections, crash recovery included
	leftoverLimit = 5 * time.Second  // for processes without a postmaster to leave by themselves
	fastLimit     = 20 * time.Second // fast shutdown: disconnect, checkpoint
	quitLimit     = 10 * time.Second // immediate shutdown; Postgres kills its stragglers after 5 s
	killLimit     = 5 * time.Second  // for the kernel to end a killed process
	versionLimit  = 10 * time.Second // postgres --version, pg_config

	pollEvery = 10 * time.Millisecond // how often a wait looks again

	backoffMin = 100 * time.Millisecond // before the first restart
	backoffMax = 10 * time.Second       // between starts that fail

	logMax       = 16 << 20    // bytes of postgres.log; one older file is kept beside it
	logTrimEvery = time.Minute // how often its size is looked at
	tailMax      = 2 << 10     // bytes of it quoted in an error
	outputMax    = 16 << 10    // bytes kept of a command's output
	pidFileMax   = 4 << 10     // bytes read of postmaster.pid

	socketPathMax = 103 // bytes; macOS has 104 with the final zero, Linux 108
)
