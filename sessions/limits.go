package sessions

import "time"

// Limits (I10). Each is an input's size, a queue's bound or a wait's end; docs/limits.md says what whoever passes
// one is told. Those of an [Allowance] are defaults, which an operator may change.

// What one message may be. [Conn.Read] is given the first three.
const (
	// MaxFrame is the largest WebSocket message accepted, in bytes.
	MaxFrame = 1 << 20
	// MaxStep2 is the largest one while a Step2 is due: twice the text that a note may have.
	MaxStep2 = 4 << 20
	// MaxEarlyFrame is the largest one before a socket has been granted anything.
	MaxEarlyFrame = 4 << 10

	maxStructs        = 10_000      // per update
	maxDeletes        = 10_000      // ranges per update that the note has not deleted already
	maxString         = 256 << 10   // bytes of one struct's text, value, key or name; values nest 32 deep at most (crdt)
	maxAdvance        = MaxStep2    // clocks that one update may take, of all clients together: text takes one a byte at most
	maxClock          = 100_000_000 // of one client in one note
	maxStateBytes     = 4 << 10     // of one presence state; a larger one is not shown
	maxPresenceClock  = 1 << 40     // as a client claims it
	maxAskedVector    = 2 * maxStateVector
	maxEarlyFrames    = 256     // held per document until it is authorised, or synced
	maxEarlyBytes     = 1 << 20 // likewise, per socket
	maxNotesPerSocket = 32      // Hocuspocus documents on one socket
	maxDenials        = 16      // documents refused on one socket
	maxDeclared       = 1000    // times that one connection may say how text came into it
	maxMoved          = 20_000  // times that one connection may say what its edits moved
	maxMoves          = 500     // pieces of text that it may say this of at once
)

// What one note may become. A note that is full can still be read, and shortened.
const (
	maxDepth       = 64       // of types in types; package prose reads as deep
	maxKeys        = 32       // attributes of one node
	maxNoteBytes   = 16 << 20 // of the whole note as an update
	maxNoteText    = 2 << 20  // bytes of characters that are not deleted
	maxClients     = 10_000   // client ids that have written
	maxStateVector = 64 << 10 // bytes; every peer is sent it

	measureEvery = time.Second // how often at most a note near its limit is measured exactly
)

// How long, and how many of a note, client ids stay theirs who showed them and wrote nothing yet, after their windows
// are gone. No login lasts longer.
const (
	ReservedFor = 12 * time.Hour
	MaxReserved = 2048
)

// How fast a connection may be. What comes faster is read later, and a peer that is behind for maxBehind is told to
// come back: then all it has to say is one message.
const (
	updatesPerSecond = 30 // updates, and questions for a whole state
	updateBurst      = 4  // seconds' worth that may come at once
	bytesPerSecond   = 256 << 10
	byteBurst        = 4 // likewise: together one whole MaxFrame
	framesPerSecond  = 200
	frameBurst       = 2
	maxBehind        = 10 * time.Second

	presenceEvery = 100 * time.Millisecond // of one connection; of what it says in between only the newest is taken
	sameEvery     = 10 * time.Second       // of one connection, of what it has said already; editors forget who is silent for 30 s
	beatEvery     = 50 * time.Millisecond  // of one note: who changed since is one frame
)

// How many connections there may be.
const (
	connsPerPerson = 10 // of one person to one note
	connsPerNote   = 100
	connsPerNode   = 20_000
)

// Queues, and what waits in them.
const (
	maxInbox        = 256      // waiting calls per session; more wait in their sockets
	maxPending      = 4096     // admitted updates per session that wait for a commit
	maxPendingBytes = 16 << 20 // likewise
	maxBatch        = 200      // updates per commit; larger batches only add latency
	maxBatchBytes   = 8 << 20  // likewise
	crowd           = 8        // notes in one transaction from which on the next one waits for more
	maxUnsettled    = 64 << 20 // bytes of updates from all peers that are not yet answered
	maxOutbox       = 512      // frames per socket that wait to be written
	maxOutboxBytes  = 2 << 20  // likewise; one frame of any size fits an empty outbox
	maxWrite        = 16 << 10 // bytes of frames written at once; a larger frame is written by itself
	maxOffered      = 64       // peers that a session itself writes to at once, some microseconds each
	maxTail         = 64       // updates that whoever joins is sent beside an older state that is encoded already
	maxTailBytes    = 64 << 10 // likewise
	baseEvery       = 500      // rows after which a running session makes a new base
	baseAtEnd       = 50       // rows that make a base worth its while when a session ends
)

// What is done to find lost text.
const (
	maxLost     = 1_000     // pieces of text that one update may lose and that are shown; the log has all
	maxFound    = 10_000    // after which a search stores what it has, and goes on later
	maxSearch   = 256 << 20 // bytes of the longest log that is searched
	searchRows  = 500       // read at once
	maxSearches = 2         // at once
	maxLosses   = 200       // listed, or settled, at once

	searchRest = 10 // times as long as it took a note is not searched again
)

// Waits.
const (
	authTimeout      = 5 * time.Second  // without a document that is granted
	loadTimeout      = 10 * time.Second // of a note, or of recording who opened it
	recordTimeout    = 10 * time.Second // of a session's or participation's end
	writeTimeout     = 5 * time.Second  // of what is written at once to a socket, and
	minWriteRate     = 128 << 10        // bytes a second for what is large: the last resort of a slow line
	flushTimeout     = 2 * time.Second  // of what is left when a socket ends
	keepAliveEvery   = 10 * time.Second // Yjs providers reconnect after 30 s without a data frame
	maxAccessAge     = 5 * time.Second  // of what is known of who may do what, before nothing is committed or shown on it
	maxHold          = 5 * time.Second  // updates wait for it to be known again; then they are refused
	holdRetry        = 100 * time.Millisecond
	recheckTimeout   = 2 * time.Second        // of deciding one grant anew
	maxRechecks      = 8                      // at once
	minAgain         = 100 * time.Millisecond // between two of them, of a right that ends by itself
	maxOverdue       = time.Second            // after the end of what a right rests on, before nothing is written on it
	maxStale         = 3                      // times that an update is refused because rights changed meanwhile
	searchTimeout    = time.Minute            // of one search for lost text
	searchPatience   = 2 * time.Second        // of whoever asks for losses, while a search is due
	parkAfter        = time.Minute            // without an edit, before a document is kept as bytes only
	lingerAfterLeave = 5 * time.Second        // a reload of the page finds its session again
	gatherEach       = time.Millisecond / 2   // for each note of a crowd, from one transaction's beginning to the next one's
	maxGather        = 5 * time.Millisecond   // of these: an edit waits for half of it where very many are made
	firstRetry       = 50 * time.Millisecond
	lastRetry        = 2 * time.Second
)

// Allowance is what an operator may grant more of, or less.
type Allowance struct {
	UpdatesPerSecond int // of one connection; four seconds' worth may come at once
	BytesPerSecond   int // likewise
	ConnsPerPerson   int // of one person to one note
	ConnsPerNote     int
	ConnsPerNode     int
}

// DefaultAllowance returns the limits of a hospital.
func DefaultAllowance() Allowance {
	return Allowance{
		UpdatesPerSecond: updatesPerSecond, BytesPerSecond: bytesPerSecond,
		ConnsPerPerson: connsPerPerson, ConnsPerNote: connsPerNote, ConnsPerNode: connsPerNode,
	}
}
