package sessions

import (
	"errors"
	"fmt"
)

// WebSocket close codes. y-websocket 3.1 gives up on 4400–4499 and retries after all others; Hocuspocus
// providers retry after every code.
const (
	closeTooLarge        = 1009 // [TooLarge]
	closeRestart         = 1012
	closeTryLater        = 1013
	closeReset           = 4205 // Hocuspocus's "reset connection": sync again from the start
	closeMalformed       = 4400
	closeUnauthenticated = 4401
	closeForbidden       = 4403
	closeNotFound        = 4404
	closeDestroyed       = 4410
	closeOverLimit       = 4413
)

// CloseError ends a socket: the edge sends Code and Reason to the peer. Reason is for people and holds no content.
type CloseError struct {
	Code   int
	Reason string
	Err    error // for the server's log; may be nil
}

func (e *CloseError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("close %d (%s): %v", e.Code, e.Reason, e.Err)
	}
	return fmt.Sprintf("close %d (%s)", e.Code, e.Reason)
}

func (e *CloseError) Unwrap() error { return e.Err }

// Errors an [Authorizer] returns.
var (
	ErrUnauthenticated = errors.New("not signed in, or the login has expired")
	ErrForbidden       = errors.New("not allowed to open this note")
	ErrStaleEditor     = errors.New("the editor has another schema than the note")
)

// ErrSealed is what a [Store] returns when what it holds is sealed by a key that the server does not have, or not any more. Who has the note open
// goes on; it opens again when the key is there.
var ErrSealed = errors.New("the server does not have the key that this is sealed with")

// ErrDestroyed means that what was asked for was destroyed, on purpose: nothing opens it any more.
var ErrDestroyed = errors.New("it was destroyed")

// Reasons why an update is refused, besides [ErrRejected].
var (
	// ErrReadOnly means that the author may not write this note.
	ErrReadOnly = errors.New("not allowed to write this note")
	// ErrRefused means that an update does not follow from what the note holds.
	ErrRefused = errors.New("update refused")
	// ErrForged means that an update writes under a client id of somebody else, or other text under clocks that
	// are taken.
	ErrForged = errors.New("update forged")
	// ErrAmbiguous means that replicas would not agree on where an element goes. Yjs's undo makes such elements; see [crdt.Doc.Inverted].
	ErrAmbiguous = errors.New("an element has its right origin before its origin, in one struct")
	// ErrLimit means that an update, or the note with it, would be larger than it may be.
	ErrLimit = errors.New("over a limit")
	// ErrEnded means that a session ended with the outcome unknown.
	ErrEnded = errors.New("session ended")
)

var (
	errDraining   = errors.New("the server is stopping")
	errPanic      = errors.New("panic")
	errOutdated   = errors.New("who may write was decided before it changed")
	errCommitLost = errors.New("stopped before the outcome of a commit was known")
)

// refusal turns the reason why a note cannot be opened into a close code that its peer understands.
func refusal(err error) *CloseError {
	var reason *CloseError
	switch {
	case errors.As(err, &reason):
		return reason
	case errors.Is(err, ErrUnauthenticated):
		return &CloseError{Code: closeUnauthenticated, Reason: "sign in again", Err: err}
	case errors.Is(err, ErrForbidden):
		return &CloseError{Code: closeForbidden, Reason: "not allowed to open this note", Err: err}
	case errors.Is(err, ErrStaleEditor):
		return &CloseError{Code: closeForbidden, Reason: "this page is out of date; reload it", Err: err}
	case errors.Is(err, ErrNoNote):
		return &CloseError{Code: closeNotFound, Reason: "no such note", Err: err}
	case errors.Is(err, ErrDestroyed):
		return &CloseError{Code: closeDestroyed, Reason: "this note was destroyed", Err: err}
	case errors.Is(err, errDraining):
		return &CloseError{Code: closeRestart, Reason: "the server is restarting", Err: err}
	case errors.Is(err, ErrSealed):
		return &CloseError{Code: closeTryLater, Reason: "the server does not have the key of this note now; ask whoever runs Tidechart", Err: err}
	default:
		return &CloseError{Code: closeTryLater, Reason: "the note cannot be opened now; try again", Err: err}
	}
}

// over is the refusal of what is more than limit of something.
func over(limit int, of string) error { return fmt.Errorf("%w: more than %d %s", ErrLimit, limit, of) }

// overLimit ends a socket whose peer goes over a limit that trying again does not move.
func overLimit(err error) *CloseError {
	return &CloseError{Code: closeOverLimit, Reason: err.Error(), Err: err}
}

// crowded refuses one connection too many. Others end: whoever is refused may try again.
func crowded(limit int, where string) *CloseError {
	return &CloseError{Code: closeTryLater, Reason: fmt.Sprintf("more than %d connections %s", limit, where)}
}

// TooLarge ends a socket whose peer sent a larger message than [Conn.Read] was to return. A [Conn] returns it.
func TooLarge() *CloseError {
	return &CloseError{Code: closeTooLarge, Reason: "message too large", Err: errors.New("message too large")}
}

// Malformed ends a socket whose peer does not speak the protocol. A [Conn] returns it for a message it cannot pass on.
func Malformed(err error) *CloseError {
	return &CloseError{Code: closeMalformed, Reason: "malformed message", Err: err}
}
