package sessions_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/sessions/storetest"
)

// TestCrowdSharesTransactions: while many write, the log makes two hundred transactions a second for all of them; who
// writes alone, or begins to, waits for nobody.
func TestCrowdSharesTransactions(t *testing.T) {
	for _, writers := range []int{5, 40} {
		t.Run(fmt.Sprint(writers, " write"), func(t *testing.T) {
			inWard(t, func(w *ward) {
				const each, pause, commit = 50, time.Millisecond, 500 * time.Microsecond
				notes, clients := make([]sessions.NoteID, writers), make([]*client, writers)
				for i := range clients {
					notes[i] = uuid.New()
					clients[i] = w.yClientAt(notes[i], write(sessions.Author{ID: uuid.New(), Name: "Typist"}))
				}
				commits := 0
				w.store.Fault = func(before bool) error {
					if before {
						commits++
						time.Sleep(commit)
					}
					return nil
				}
				began := time.Now()
				for _, c := range clients { // all of them together, every millisecond
					go func() {
						for k := range byte(each) {
							c.pipe.in <- c.frame(ysync.Message{Kind: ysync.Sync, Step: ysync.StepUpdate, Data: insert(7, k, "x")})
							time.Sleep(pause)
						}
					}()
				}
				time.Sleep(each * pause)
				took := time.Since(began)
				time.Sleep(time.Second)
				synctest.Wait()
				if most := int(took/(5*time.Millisecond)) + 4; writers > 8 && commits > most {
					t.Errorf("%d transactions within %v, want %d at most", commits, took, most)
				} else if writers < 8 && commits < each {
					t.Errorf("%d transactions, want each of %d edits at once", commits, each)
				}
				commits = 0
				last := clients[0]
				before := len(last.updates())
				last.update(insert(7, each, "x"))
				time.Sleep(commit)
				synctest.Wait()
				if len(last.updates()) == before || commits != 1 {
					t.Errorf("an edit alone is not answered when its commit is done, but after %d", commits)
				}
				for i, id := range notes {
					if got := len(w.store.Rows(id)); got < 1+each {
						t.Errorf("note %d has %d rows, want %d", i, got, 1+each)
					}
				}
			})
		})
	}
}

// yClientAt is yClient of another note, which is made for it.
func (w *ward) yClientAt(id sessions.NoteID, grant sessions.Grant) *client {
	w.store.Add(id, chen.ID, insert(9, 0, "start"))
	c := w.connect("", func(conn sessions.Conn) error {
		return w.hub.ServeYWebSocket(w.t.Context(), conn, id, "", granted(grant))
	})
	c.send(ysync.Message{Kind: ysync.Sync, Step: ysync.Step1, Data: crdt.StateVector{}.Encode()})
	c.step2(storetest.Empty())
	return c
}

// TestFiguresMeasureCommits: each commit is counted by how long it took; while one is under way, it is said for how long, and who waits
// behind it. One that is tried again counts once, and so does the trying.
func TestFiguresMeasureCommits(t *testing.T) {
	inWard(t, func(w *ward) {
		note := uuid.New()
		c := w.yClientAt(note, write(sessions.Author{ID: uuid.New(), Name: "Typist"}))
		takes, fail := 7*time.Millisecond, false
		w.store.Fault = func(before bool) error {
			if before {
				time.Sleep(takes)
				if fail {
					fail = false
					return fmt.Errorf("the database is away")
				}
			}
			return nil
		}
		c.update(insert(7, 0, "x"))
		time.Sleep(5 * time.Millisecond)
		if f := w.hub.Figures(); f.Lag <= 0 || f.Lag > takes || f.Notes != 1 || f.Sockets != 1 || f.Writers != 1 || f.Unsettled == 0 {
			t.Errorf("while it commits: %+v", f)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		takes = 150 * time.Millisecond
		c.update(insert(7, 1, "y"))
		time.Sleep(time.Second)
		synctest.Wait()
		fail = true
		c.update(insert(7, 2, "z"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		f := w.hub.Figures()
		if f.Commits.Counts[3] != 1 || f.Commits.Counts[7] != 1 || f.Commits.All() != 3 || f.Commits.Retries != 1 || f.Lag != 0 || f.Queued != 0 {
			t.Errorf("afterwards: %+v", f)
		}
		if half, most := f.Commits.Within(0.5), f.Commits.Within(0.99); half != 200*time.Millisecond || most < half {
			t.Errorf("half within %v, most within %v", half, most)
		}
	})
}
