package store

import (
	"log/slog"
	"time"

	"github.com/clisonix/tidechart/server/store/queries"
)

// logLate is how old the newest checkpoint, or an act without a place, is when the server's own log says so; and how often (I10).
const logLate = 30 * time.Second

// LogFigures are how the log of acts does, as a server saw it last.
type LogFigures struct {
	Entries int64     // that have a place
	Waiting int64     // acts that have none yet; up to a thousand are counted
	Since   time.Time // when the first of those happened; zero: there are none
	Signed  time.Time // when the newest checkpoint was signed; zero: there is none
}

// Figures returns how the log does.
func (s *Sequencer) Figures() LogFigures { return *s.figures.Load() }

// look keeps figures, and reports whether it is time for a checkpoint.
func (s *Sequencer) look(head queries.AuditHeadRow, waiting queries.EventsWaitingRow) (due bool) {
	f := LogFigures{Entries: head.Size, Waiting: waiting.Acts}
	if f.Waiting > 0 {
		f.Since = waiting.Since
	}
	if newest, err := s.newest(head); err == nil {
		f.Signed = newest.At
	}
	s.figures.Store(&f)
	return s.due(head)
}

// tellLate says that the log of acts is behind, and returns when that was said last.
func (s *Sequencer) tellLate(log *slog.Logger, told, began time.Time) time.Time {
	f, now := s.Figures(), s.now()
	unsigned, unplaced := now.Sub(later(f.Signed, began)), time.Duration(0)
	if !f.Since.IsZero() {
		unplaced = now.Sub(f.Since)
	}
	if max(unsigned, unplaced) < logLate || now.Sub(told) < logLate {
		return told
	}
	log.Error("the log of acts is behind", "checkpoint", unsigned.Round(time.Second), "act without a place", unplaced.Round(time.Second), "acts", f.Waiting)
	return now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
