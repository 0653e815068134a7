package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// Limits of what a board is made of.
const (
	boardFresh    = time.Second // how old what is known of a unit may be, though nothing was told
	boardKept     = time.Minute // how long it is kept when nobody looks
	maxBoardNotes = 2000        // about who lies on a unit
	maxBoardAsked = 1000
)

// unitLook is what is known of a unit at one moment, the same for all who look at its board. Who may see what of it is decided for
// each of them. It does not change.
type unitLook struct {
	beds    []store.BoardBed
	notes   map[uuid.UUID][]queries.BoardNotesRow  // by patient
	asked   map[uuid.UUID][]queries.BoardNudgesRow // by note, the newest first
	tasks   map[uuid.UUID]queries.UnitTasksRow     // by patient
	list    func() ([]store.Task, error)           // what they are, as they were when somebody first asked
	unread  []uuid.UUID                            // handoffs that nobody has read back
	present map[sessions.NoteID][]sessions.Presence
	alike   map[string][]string // by bed: the labels of beds whose patients have the same family name
}

// boards shares looks at units: however many look at a board, a change is read once. Any number of goroutines may use it; its zero
// value is ready.
type boards struct {
	mu sync.Mutex
	of map[string]*boardRead // by unit
}

// boardRead is a look at a unit, or one that is being taken. It is worth something until one of its channels is closed.
type boardRead struct {
	sessions, news <-chan struct{} // as they were before it began
	began          time.Time
	done           chan struct{} // closed when look and err are set
	look           *unitLook
	err            error
}

// forget has whoever looks at a unit next read it anew: who changed something there comes before they are told of it. Others are told
// once, by the database.
func (b *boards) forget(unit string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, unit)
}

func (r *boardRead) current(now time.Time) bool {
	select {
	case <-r.sessions:
	case <-r.news:
	default:
		return now.Sub(r.began) < boardFresh
	}
	return false
}

// lookAt returns what is known of a unit: all that was told before it was called is in it.
func (s *Server) lookAt(ctx context.Context, unit string) (*unitLook, error) {
	s.boards.mu.Lock()
	now := time.Now()
	read := s.boards.of[unit]
	if read != nil && read.current(now) {
		s.boards.mu.Unlock()
		select {
		case <-read.done:
			return read.look, read.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	read = &boardRead{sessions: s.hub.Changed(), news: s.news.heard(), began: now, done: make(chan struct{})}
	if s.boards.of == nil {
		s.boards.of = make(map[string]*boardRead)
	}
	for other, old := range s.boards.of {
		if now.Sub(old.began) > boardKept {
			delete(s.boards.of, other)
		}
	}
	s.boards.of[unit] = read
	s.boards.mu.Unlock()
	defer close(read.done)
	// Others wait for it, too: it does not end because this page was closed.
	long, cancel := context.WithTimeout(context.WithoutCancel(ctx), streamTimeout)
	defer cancel()
	read.look, read.err = s.readUnit(long, unit)
	return read.look, read.err
}

func (s *Server) readUnit(ctx context.Context, unit string) (*unitLook, error) {
	look := &unitLook{
		notes: make(map[uuid.UUID][]queries.BoardNotesRow), asked: make(map[uuid.UUID][]queries.BoardNudgesRow), present: s.hub.Present(),
	}
	var err error
	if look.beds, err = s.db.BoardBeds(ctx, unit); err != nil {
		return nil, fmt.Errorf("list beds: %w", err)
	}
	notes, err := s.db.BoardNotes(ctx, unit, maxBoardNotes)
	if err != nil {
		return nil, fmt.Errorf("list notes of a unit: %w", err)
	}
	var handoffs []uuid.UUID
	for _, n := range notes {
		look.notes[n.Note.PatientID] = append(look.notes[n.Note.PatientID], n)
		if isSignedHandoff(n.Note) {
			handoffs = append(handoffs, n.Note.ID)
		}
	}
	if look.unread, err = s.notReadBack(ctx, handoffs); err != nil {
		return nil, err
	}
	asked, err := s.db.BoardNudges(ctx, unit, maxBoardAsked)
	if err != nil {
		return nil, fmt.Errorf("list who was asked: %w", err)
	}
	for _, a := range asked {
		look.asked[a.NoteID] = append(look.asked[a.NoteID], a)
	}
	tasks, err := s.db.UnitTasks(ctx, unit)
	if err != nil {
		return nil, fmt.Errorf("count tasks of a unit: %w", err)
	}
	look.tasks = make(map[uuid.UUID]queries.UnitTasksRow, len(tasks))
	for _, row := range tasks {
		look.tasks[row.PatientID] = row
	}
	look.list = sync.OnceValues(func() ([]store.Task, error) {
		long, cancel := context.WithTimeout(context.WithoutCancel(ctx), streamTimeout)
		defer cancel()
		return s.db.TasksOn(long, unit, time.Now().Add(-web.DoneLately))
	})
	look.alike = alike(look.beds)
	return look, nil
}

// alike finds patients of one family name, whatever its case and marks: Ångreef is Angreef.
func alike(beds []store.BoardBed) map[string][]string {
	of := make(map[string][]int)
	for i, bed := range beds {
		if !bed.PatientID.Valid || bed.Patient.Family == store.Unreadable || bed.Patient.Family == store.Destroyed {
			continue
		}
		if name := foldName(bed.Patient.Family); name != "" {
			of[name] = append(of[name], i)
		}
	}
	found := make(map[string][]string)
	for _, same := range of {
		for _, i := range same {
			for _, j := range same {
				if i != j {
					found[beds[i].BedID] = append(found[beds[i].BedID], beds[j].BedLabel)
				}
			}
		}
	}
	return found
}

// foldName is what is left of a name without case, marks and what stands between its letters.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, cases.Fold().String(norm.NFKD.String(name)))
}
