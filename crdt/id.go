package crdt

// MaxInt is the largest integer in any encoding here: what a JavaScript number
// holds exactly.
const MaxInt = 1<<53 - 1

// MaxClock is the largest next clock of a client. Yjs allows more; a client
// that typed a character each millisecond would need 49 days to reach it.
const MaxClock = 1<<32 - 1

// A ClientID names one writer of a document, at most [MaxInt].
type ClientID uint64

// An ID names one element: the Clock-th that Client inserted, from 0.
type ID struct {
	Client ClientID
	Clock  uint64
}

// A ClockRange is the elements From ≤ clock < To of one client.
type ClockRange struct {
	Client   ClientID
	From, To uint64
}

// A DeleteRange is Len deleted elements of Client, starting at Clock; they end
// at [MaxClock] at most.
type DeleteRange struct {
	Client     ClientID
	Clock, Len uint32
}

func (g DeleteRange) end() uint32 { return g.Clock + g.Len }
