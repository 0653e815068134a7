package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
)

// Rhythm of event streams.
const (
	streamCoalesce = 250 * time.Millisecond // at most four changes a second for each page
	streamTimeout  = 10 * time.Second       // of one write, and of one look at the database

	streamsPerPerson = 20               // pages in front of somebody, on all workstations; those behind others rest
	streamRetry      = 30 * time.Second // after which one more may ask again
)

// streams counts the event streams of people. Any number of goroutines may use it; its zero value has none.
type streams struct {
	mu sync.Mutex
	of map[uuid.UUID]int
}

// enter counts one more, or returns a [*tooMany]. Whoever entered leaves.
func (s *streams) enter(who uuid.UUID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who] >= streamsPerPerson {
		return &tooMany{wait: streamRetry}
	}
	if s.of == nil {
		s.of = make(map[uuid.UUID]int)
	}
	s.of[who]++
	return nil
}

// all is how many there are.
func (s *streams) all() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range s.of {
		n += of
	}
	return n
}

func (s *streams) leave(who uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who]--; s.of[who] == 0 {
		delete(s.of, who)
	}
}

// part is something of a page that changes by itself. It belongs to one stream.
type part interface {
	// show returns what the page lacks of it, for whoever looks at it and may do so now; nil: nothing. It refuses those who may
	// not any more.
	show(ctx context.Context, who login.Person) (templ.Component, error)
}

// wakes returns channels that are closed by what a page may have to show; nil: never.
type wakes func() (sessions, news <-chan struct{})

// stream is one open page, and what it is told.
type stream struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	who     login.Person // whose page it is
	listen  wakes
	poll    time.Duration // for what nobody tells of
	parts   []part
	events  int
}

// stream answers with what changes of a page's parts, until the page is gone, or is no longer its person's to see. A page that
// connects, again or for the first time, gets all of them: there is nothing to replay, and nothing to miss. The only error is
// that there are too many; nothing has been answered then.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, who login.Person, poll time.Duration, listen wakes, parts ...part) error {
	if err := s.streams.enter(who.ID); err != nil {
		return err
	}
	defer s.streams.leave(who.ID)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	page := &stream{server: s, w: w, control: http.NewResponseController(w), who: who, listen: listen, poll: poll, parts: parts}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.drained, cancel)()
	if err := page.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Info("event stream ends", "err", err)
	}
	return nil
}

func (p *stream) run(ctx context.Context) error {
	if err := p.control.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	poll := time.NewTicker(p.poll)
	defer poll.Stop()
	ping := time.NewTicker(web.PingInterval)
	defer ping.Stop()
	for {
		sessions, news := p.listen() // before looking, so that no change falls between
		if err := p.send(ctx); err != nil {
			return err
		}
		coalesce := time.NewTimer(streamCoalesce)
		select {
		case <-coalesce.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-sessions:
		case <-news:
		case <-poll.C:
		case <-ping.C:
			if err := p.write(func() error { return web.WritePing(p.w, time.Now()) }); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// send writes what the page lacks. Whose it is, and whether they may see it, is asked anew each time (I9).
func (p *stream) send(ctx context.Context) error {
	look, cancel := context.WithTimeout(ctx, streamTimeout)
	defer cancel()
	who, err := p.server.desk.Again(look, p.who)
	if err == nil && who.Weak {
		err = login.ErrWeak
	}
	if err != nil {
		return err
	}
	var changed []templ.Component
	for _, one := range p.parts {
		shown, err := one.show(look, who)
		if err != nil {
			return err
		}
		if shown != nil {
			changed = append(changed, shown)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	p.events++
	return p.write(func() error { return web.WriteEvent(ctx, p.w, strconv.Itoa(p.events), templ.Join(changed...)) })
}

// write has a deadline for as long as it takes, and no longer: HTTP/2 ends a stream when its deadline has passed, though nothing
// waits to be written.
func (p *stream) write(f func() error) error {
	if err := p.control.SetWriteDeadline(time.Now().Add(streamTimeout)); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	if err := p.control.Flush(); err != nil {
		return err
	}
	return p.control.SetWriteDeadline(time.Time{})
}
