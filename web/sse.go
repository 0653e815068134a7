package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/a-h/templ"
)

// PingInterval is how often an event stream must say that it lives. The board
// turns grey when two pings in a row do not come.
const PingInterval = 15 * time.Second

// WriteEvent writes c as one message of an event stream, with id as the id
// that a reconnecting page sends back in Last-Event-ID (none if it is empty,
// and it must hold no line break). The caller flushes.
func WriteEvent(ctx context.Context, w io.Writer, id string, c templ.Component) error {
	var html bytes.Buffer
	if err := c.Render(ctx, &html); err != nil {
		return fmt.Errorf("render event: %w", err)
	}
	var msg bytes.Buffer
	if id != "" {
		fmt.Fprintf(&msg, "id: %s\n", id)
	}
	// A carriage return would end a line of the stream as well.
	data := bytes.ReplaceAll(html.Bytes(), []byte("\r"), []byte(" "))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		msg.WriteString("data: ")
		msg.Write(line)
		msg.WriteByte('\n')
	}
	msg.WriteByte('\n')
	if _, err := w.Write(msg.Bytes()); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return nil
}

// WritePing tells the page that what it shows was still true at asOf. A
// comment line would keep the connection open, but the page would not see it.
func WritePing(w io.Writer, asOf time.Time) error {
	if _, err := fmt.Fprintf(w, "event: ping\ndata: %s\n\n", machineTime(asOf)); err != nil {
		return fmt.Errorf("write ping: %w", err)
	}
	return nil
}
