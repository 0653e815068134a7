package crdt

import (
	"errors"
	"fmt"
)

// ErrMalformed is what [errors.Is] finds in every refusal to decode.
var ErrMalformed = errors.New("malformed")

// ErrTooLarge is returned when applying an update would grow a document past
// what its 32-bit offsets can address. The document is unchanged.
var ErrTooLarge = errors.New("document too large")

// A MalformedError says what is wrong with an encoded input, and where. It
// never quotes the input: it may be a patient's.
type MalformedError struct {
	What   string
	Offset int // in bytes from the start of the input
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed at byte %d: %s", e.Offset, e.What)
}

// Is reports whether target is [ErrMalformed].
func (e *MalformedError) Is(target error) bool { return target == ErrMalformed }
