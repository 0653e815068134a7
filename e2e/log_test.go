package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// logBuffer keeps everything that the server printed.
type logBuffer struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	wake []chan struct{}
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.wake {
		close(c)
	}
	b.wake = nil
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// len is a position in the log, for since.
func (b *logBuffer) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Len()
}

// tail is the last n bytes.
func (b *logBuffer) tail(n int) string {
	s := b.String()
	return s[max(0, len(s)-n):]
}

// waitLine waits for a line after position from that holds text.
func (b *logBuffer) waitLine(from int, text string) error {
	deadline := time.After(patience)
	for {
		b.mu.Lock()
		log := b.buf.String()[from:]
		wake := make(chan struct{})
		b.wake = append(b.wake, wake)
		b.mu.Unlock()
		if strings.Contains(log, text) {
			return nil
		}
		select {
		case <-wake:
		case <-deadline:
			return fmt.Errorf("the server's log has no %q in what it wrote since:\n%s", text, log)
		}
	}
}

// linesWith are the lines of a log that hold one of the words.
func linesWith(log string, words ...string) string {
	var found []string
	for line := range strings.Lines(log) {
		for _, w := range words {
			if strings.Contains(line, w) {
				found = append(found, line)
				break
			}
		}
	}
	return strings.Join(found, "")
}
