package server

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
)

// commentsPart is the list of threads beside a note, which an open editor asks for when something was said.
func (s *Server) commentsPart(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := noteNamed(r)
	if err != nil {
		return err
	}
	how := byPage
	if slices.ContainsFunc(s.hub.Present()[id], func(p sessions.Presence) bool { return p.Author.ID == who.ID }) {
		how = notAgain // they have it open, which is on record
	}
	st, err := s.mayDo(r.Context(), who, access.ReadNote, id, how)
	if err != nil {
		return err
	}
	view, err := s.commentsView(r.Context(), who, st, id)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	s.render(w, r, http.StatusOK, web.Threads(view))
	return nil
}

// comment is what somebody said in a thread, with what they did with it since.
type comment struct {
	first store.ThreadAct
	since []store.ThreadAct
}

// now is what of it counts.
func (c comment) now() store.ThreadAct {
	if len(c.since) == 0 {
		return c.first
	}
	return c.since[len(c.since)-1]
}

// commentsOf are the comments of a thread, in their order.
func commentsOf(t store.Thread) (all []comment) {
	for _, a := range t.Acts {
		if a.Do == store.Say {
			all = append(all, comment{first: a})
		}
		for i := range all {
			if a.Of > 0 && all[i].first.N == a.Of {
				all[i].since = append(all[i].since, a)
			}
		}
	}
	return all
}

// speakers are whoever did something in threads.
func speakers(threads []store.Thread) (ids []uuid.UUID) {
	for _, t := range threads {
		for _, a := range t.Acts {
			ids = append(ids, a.By)
		}
	}
	return ids
}

// commentsView is what was said about a note, for somebody who may read it.
func (s *Server) commentsView(ctx context.Context, who login.Person, st standing, note uuid.UUID) (web.CommentsView, error) {
	view := web.CommentsView{Now: s.now()}
	threads, err := s.db.Threads(ctx, note)
	if err != nil {
		return view, err
	}
	people, err := s.peopleNamed(ctx, speakers(threads))
	if err != nil {
		return view, err
	}
	mayWrite := st.may(access.WriteNote).Allow
	// What somebody took back is for who reviews what people did.
	reviews := access.May(st.who.Role, access.SeeAccesses)
	for _, t := range threads {
		view.Threads = append(view.Threads, threadView(t, people, who.ID, mayWrite, reviews))
	}
	return view, nil
}

func threadView(t store.Thread, people map[uuid.UUID]web.Person, who uuid.UUID, mayWrite, reviews bool) web.ThreadView {
	v := web.ThreadView{ID: t.ID.String(), Acts: len(t.Acts), Quote: t.Quote, MayWrite: mayWrite}
	if p := t.Place; p != nil {
		v.Start, v.End, v.Words, v.Known = idText(p.Start), idText(p.End), p.Words, base64.StdEncoding.EncodeToString(p.Known)
	}
	if by, resolved := t.Resolved(); resolved {
		v.Resolved, v.ResolvedBy, v.ResolvedAt = true, people[by.By].Name, by.At.Local()
	}
	last := t.Acts[len(t.Acts)-1]
	v.LastBy, v.LastOwn = people[last.By].Name, last.By == who
	for _, c := range commentsOf(t) {
		now := c.now()
		cv := web.CommentView{
			N: c.first.N, By: people[c.first.By], At: c.first.At.Local(), Words: now.Words, Removed: now.Do == store.Remove,
			Own: mayWrite && c.first.By == who && now.Do != store.Remove,
		}
		if now.Do != store.Say {
			cv.ChangedAt = now.At.Local()
		}
		if !cv.Removed || reviews {
			for _, a := range append([]store.ThreadAct{c.first}, c.since...) {
				if a.N != now.N {
					cv.Earlier = append(cv.Earlier, a.Words)
				}
			}
		}
		v.Comments = append(v.Comments, cv)
	}
	return v
}

func idText(id crdt.ID) string { return fmt.Sprintf("%d.%d", id.Client, id.Clock) }
