package history

import (
	"slices"
	"time"

	"github.com/clisonix/tidechart/sessions"
)

// Break is after how long without an edit a version of a note is worth finding again.
const Break = 30 * time.Minute

// Version is a stretch of a note's log that people wrote at one go; its last row is the version.
type Version struct {
	First, Last  uint64 // rows
	Began, Ended time.Time
	People       []sessions.PersonID // in the order in which they wrote
}

// Versions returns the stretches of a log, parted where a session ended, and by every break of [Break].
func (p *Past) Versions() []Version {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var out []Version
	for i, r := range p.rows {
		h, at := p.hands[r.hand], time.UnixMicro(r.at)
		if i == 0 || h.session != p.hands[p.rows[i-1].hand].session || time.Duration(r.at-p.rows[i-1].at)*time.Microsecond >= Break {
			out = append(out, Version{First: uint64(i) + 1, Began: at})
		}
		v := &out[len(out)-1]
		v.Last, v.Ended = uint64(i)+1, at
		if !slices.Contains(v.People, h.author) {
			v.People = append(v.People, h.author)
		}
	}
	return out
}
