package web

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
func (c Connection) word() string {
	switch c.State {
	case ConnectionPostQuantum:
		return "Post-quantum"
	case ConnectionClassical:
		return "Classical"
	case ConnectionUnknown:
		return "By proxy"
	default:
		return "Not encrypted"
	}
}

// words is the same for those who hear it.
func (c Connection) words() string {
	switch c.State {
	case ConnectionPostQuantum:
		return "Post-quantum connection"
	case ConnectionClassical:
		return "Classical connection"
	case ConnectionUnknown:
		return "Connection through a proxy: its encryption is unknown here"
	default:
		return "Connection that is not encrypted"
	}
}

// sentence says what follows from it.
func (c Connection) sentence() string {
	switch c.State {
	case ConnectionPostQuantum:
		return "Its keys were agreed on by " + c.Group + ": what somebody records of it today stays secret from quantum computers, too."
	case ConnectionClassical:
		return "Its keys were agreed on by " + c.Group + " alone: who records it today can read it if they have a quantum computer one day. A newer browser does better."
	case ConnectionUnknown:
		return "A proxy in front of this server encrypts the connection with your browser. How, this server does not know."
	default:
		return "This server is a demo, and should be on your own machine: what you type can be read on the way."
	}
}

// name is the state in an attribute.
func (c Connection) name() string {
	if c.State == ConnectionClear {
		return "clear"
	}
	return string(c.State)
}
