package web

import (
	"fmt"
	"strconv"
)

// quiet is how many modules around a QR code stay light, for cameras.
const quiet = 4

// box is the square of the picture, with its quiet zone.
func (q QR) box() string {
	return fmt.Sprintf("-%d -%d %d %d", quiet, quiet, q.Size+2*quiet, q.Size+2*quiet)
}

// left says how many recovery codes are.
func (v SecurityView) left() string {
	if v.Recovery == 1 {
		return "1 recovery code is left."
	}
	return strconv.Itoa(v.Recovery) + " recovery codes are left."
}

// name says which browser it is.
func (l LoginRow) name() string {
	if l.Browser == "" {
		return "Another browser"
	}
	return l.Browser
}

// ending names the button that ends a login, to whoever does not see its row.
func (l LoginRow) ending() string {
	if l.This {
		return "Sign out here"
	}
	return "End the sign-in at " + l.name()
}

// name says where a passkey was made.
func (k PasskeyRow) name() string {
	if k.Name == "" {
		return "another browser"
	}
	return k.Name
}
