package web

import (
	"context"

	"github.com/clisonix/tidechart/web/words"
)

// Connection is how a page came from the server: how it is kept secret. The
// zero value is one in the clear, which only a demo has.
type Connection struct {
	State ConnectionState
	Group string // by which keys were agreed on, such as "X25519MLKEM768"
}

// ConnectionState says from whom a connection is kept secret.
type ConnectionState string

// The states. Nobody at this server knows what a proxy has agreed on.
const (
	ConnectionClear       ConnectionState = ""
	ConnectionClassical   ConnectionState = "classical"
	ConnectionPostQuantum ConnectionState = "post-quantum"
	ConnectionUnknown     ConnectionState = "unknown"
)

// word is what the badge says.
func (c Connection) word(ctx context.Context) string {
	switch c.State {
	case ConnectionPostQuantum:
		return "Post-quantum"
	case ConnectionClassical:
		return words.Say(ctx, "Classical")
	case ConnectionUnknown:
		return words.Say(ctx, "By proxy")
	default:
		return words.Say(ctx, "Not encrypted")
	}
}

// words is the same for those who hear it.
func (c Connection) words(ctx context.Context) string {
	switch c.State {
	case ConnectionPostQuantum:
		return words.Say(ctx, "Post-quantum connection")
	case ConnectionClassical:
		return words.Say(ctx, "Classical connection")
	case ConnectionUnknown:
		return words.Say(ctx, "Connection through a proxy: its encryption is unknown here")
	default:
		return words.Say(ctx, "Connection that is not encrypted")
	}
}

// sentence says what follows from it.
func (c Connection) sentence(ctx context.Context) string {
	switch c.State {
	case ConnectionPostQuantum:
		return words.Say(ctx, "Its keys were agreed on by {group}: what somebody records of it today stays secret from quantum computers, too.", c.Group)
	case ConnectionClassical:
		return words.Say(ctx, "Its keys were agreed on by {group} alone: who records it today can read it if they have a quantum computer one day. A newer browser does better.", c.Group)
	case ConnectionUnknown:
		return words.Say(ctx, "A proxy in front of this server encrypts the connection with your browser. How, this server does not know.")
	default:
		return words.Say(ctx, "This server is a demo, and should be on your own machine: what you type can be read on the way.")
	}
}

// name is the state in an attribute.
func (c Connection) name() string {
	if c.State == ConnectionClear {
		return "clear"
	}
	return string(c.State)
}
