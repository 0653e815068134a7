package sessions

import (
	"context"
	"errors"
)

// A provider that comes back sends all that it has and the note has not as one Step2, and nothing shorter: refusing
// it as too large would have it come back with the same, for ever. So messages may be larger while a Step2 is due, and
// one that is too large even then is refused for good, as any update is that a note cannot take.

// next reads a message, of a size that is no more than p is to send now.
func (s *socket) next(p protocol) ([]byte, error) {
	ctx := context.Background() // what was sent is taken, and the outbox closes conn when the socket ends
	switch {
	case !p.granted():
		return s.conn.Read(ctx, MaxEarlyFrame)
	case !p.owesStep2():
		return s.conn.Read(ctx, MaxFrame)
	}
	message, err := s.conn.Read(ctx, MaxStep2)
	var reason *CloseError
	if errors.As(err, &reason) && reason.Code == closeTooLarge {
		return nil, overLimit(over(MaxStep2, "bytes of edits at once"))
	}
	return message, err
}
