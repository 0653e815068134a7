// Package sessions runs live editing: people at the same note, over whichever protocol their editor speaks.
//
// A [Hub] has at most one [Session] per note. A Session is one goroutine that owns the note's document; a [Peer]
// is one person's connection to it. Several peers, at several notes, may share a socket.
//
// # An edit's way
//
//	frame    a socket's reader decodes it, bounded; a malformed one ends that socket only (I6)
//	admit    the session checks it against the log so far and what is already on its way (I3)
//	commit   the committer writes every session's queue in one transaction (I1)
//	apply    the session's document advances by exactly what was committed
//	deliver  every other peer gets it; a full outbox never blocks, the peer is caught up later by one diff
//	answer   the sender learns that it is saved, once per frame (I2)
//
// A session has one batch in flight; what arrives meanwhile forms the next. There is no flush timer.
//
// # Concurrency
//
// One goroutine owns each piece of state, and each struct says which (I11). No lock is held across I/O.
package sessions
