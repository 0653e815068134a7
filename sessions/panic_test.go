package sessions_test

import (
	"context"
	"testing"

	"github.com/clisonix/tidechart/sessions"
)

// TestPanicsLetGo: a socket whose beginning panics is neither counted any more nor waited for.
func TestPanicsLetGo(t *testing.T) {
	inWard(t, func(w *ward) {
		for range 3 { // there is room for one at a time
			func() {
				defer func() {
					if recover() == nil {
						t.Error("it did not panic")
					}
				}()
				pipe := newPipe()
				defer pipe.close()
				err := w.hub.ServeYWebSocket(w.t.Context(), pipe, note, "", func(context.Context, sessions.NoteID, string) (sessions.Grant, error) {
					panic("on purpose")
				})
				t.Errorf("refused: %v", err)
			}()
		}
	}, sessions.WithAllowance(oneSocket()))
}

func oneSocket() sessions.Allowance {
	a := sessions.DefaultAllowance()
	a.ConnsPerNode = 1
	return a
}
