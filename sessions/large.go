package sessions

import (
	"context"
	"errors"
)

// A provider that comes back sends all that it has and the note has not as one Step2, and nothing shorter: refusing
// it as too large would have it come back with the same, for ever. So messages may be larger while a Step2 is due, and
// one that is too large even then is refused for good, as any update is that a note cannot take.

// roomy is a [Conn] that takes larger messages while a Step2 is due.
type roomy struct {
	Conn
	due func() bool // on the reading goroutine
}

func (r roomy) Read(ctx context.Context, limit int) ([]byte, error) {
	if limit < MaxFrame || !r.due() {
		return r.Conn.Read(ctx, limit)
	}
	message, err := r.Conn.Read(ctx, MaxStep2)
	var reason *CloseError
	if errors.As(err, &reason) && reason.Code == closeTooLarge {
		return nil, overLimit(over(MaxStep2, "bytes of edits at once"))
	}
	return message, err
}
