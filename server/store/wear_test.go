package store

import (
	"testing"
	"time"

	"github.com/clisonix/tidechart/server/store/queries"
)

// TestWear: a data key seals no more than its limits, whichever is reached first.
func TestWear(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	key := queries.DataKey{FromSeq: 11, MadeAt: now.Add(-time.Hour)}
	notes, log := wear{rows: noteKeyRows}, wear{rows: logKeyRows}
	for _, tt := range []struct {
		name string
		wear
		head uint64
		now  time.Time
		want bool
	}{
		{"fresh", notes, 11, now, false},
		{"as many rows as it may", notes, 11 + noteKeyRows, now, false},
		{"one more", notes, 12 + noteKeyRows, now, true},
		{"entries are smaller", log, 12 + noteKeyRows, now, false},
		{"as many entries", log, 11 + logKeyRows, now, false},
		{"one more entry", log, 12 + logKeyRows, now, true},
		{"90 days", notes, 11, key.MadeAt.Add(keyAge), false},
		{"and a moment", notes, 11, key.MadeAt.Add(keyAge + 1), true},
		{"given up", wear{noteKeyRows, now}, 11, now, true},
		{"made since", wear{noteKeyRows, key.MadeAt}, 11, now, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.worn(key, tt.head, tt.now); got != tt.want {
				t.Errorf("worn %v", got)
			}
		})
	}
	if bytes := uint64(noteKeyRows) * (1 << 21); bytes > 1<<40 {
		t.Errorf("a note's key may seal %d bytes", bytes)
	}
}
