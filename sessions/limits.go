package sessions

import "time"

// Limits (I10). Each is a wait's end, a queue's bound or an input's size.
const (
	// MaxFrame is the largest WebSocket message accepted, in bytes; a [Conn] reads no more.
	MaxFrame = 1 << 20

	maxNotesPerSocket = 32      // Hocuspocus documents on one socket
	maxEarlyFrames    = 256     // held per document until it is authorised, or synced
	maxEarlyBytes     = 1 << 20 // likewise, per socket
	maxDenials        = 16      // documents refused on one socket
	maxDepth          = 64      // of types in types; package prose reads as deep
	maxStateBytes     = 4 << 10 // of one presence state; a larger one is not shown
	maxPresenceClock  = 1 << 40 // as a client claims it

	maxInbox        = 256      // waiting calls per session; more wait in their sockets
	maxPending      = 4096     // admitted updates per session that wait for a commit
	maxPendingBytes = 16 << 20 // likewise
	maxBatch        = 200      // updates per commit; larger batches only add latency
	maxBatchBytes   = 8 << 20  // likewise
	maxUnsettled    = 64 << 20 // bytes of updates from all peers that are not yet answered
	maxOutbox       = 512      // frames per socket that wait to be written
	maxOutboxBytes  = 2 << 20  // likewise; one frame of any size fits an empty outbox
	baseEvery       = 500      // rows after which a running session makes a new base
	baseAtEnd       = 50       // rows that make a base worth its while when a session ends
	firstRetry      = 50 * time.Millisecond
	lastRetry       = 2 * time.Second

	authTimeout      = 10 * time.Second // from connect to the first document that is granted
	loadTimeout      = 10 * time.Second // of a note, or of recording who opened it
	recordTimeout    = 10 * time.Second // of a session's or participation's end
	writeTimeout     = 10 * time.Second // of one frame to a socket
	flushTimeout     = 2 * time.Second  // of what is left when a socket ends
	keepAliveEvery   = 10 * time.Second // Yjs providers reconnect after 30 s without a data frame
	lingerAfterLeave = 5 * time.Second  // a reload of the page finds its session again
)
