package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// lastLook is up to where somebody has seen a note.
type lastLook struct {
	from uint64 // the row of its log after which they have not; 0: they have never looked
}

// lookOf returns from where on a note is new to somebody. While they look, it is what they found new when they came.
func (s *Server) lookOf(ctx context.Context, who login.Person, note uuid.UUID) (lastLook, error) {
	row, err := s.db.LastLook(ctx, who.ID, note)
	if errors.Is(err, store.ErrNotFound) {
		return lastLook{}, nil
	}
	if err != nil {
		return lastLook{}, fmt.Errorf("look up last look: %w", err)
	}
	if row.Looking && row.Seq >= row.Head {
		return lastLook{uint64(row.SinceSeq)}, nil
	}
	return lastLook{uint64(row.Seq)}, nil
}

// looked says that somebody has seen a note as it is now, and returns who else has written it since they looked before.
func (s *Server) looked(ctx context.Context, who login.Person, note uuid.UUID) (news web.News, err error) {
	look, err := s.lookOf(ctx, who, note)
	if err != nil {
		return news, err
	}
	if look.from > 0 {
		writers, err := s.db.WritersSince(ctx, note, int64(look.from), who.ID)
		if err != nil {
			return news, fmt.Errorf("look up who has written: %w", err)
		}
		news = web.News{Since: look.from, People: len(writers)}
	}
	if err := s.db.LookAtNote(ctx, who.ID, note); err != nil {
		return news, fmt.Errorf("keep last look: %w", err)
	}
	return news, nil
}

// changesPage shows what has changed since somebody looked at a note. Its address then says since when, so that it can be kept.
func (s *Server) changesPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, past, _, err := s.openPast(r, who)
	if err != nil {
		return err
	}
	asked := r.URL.Query()
	since, err := strconv.ParseUint(asked.Get("since"), 10, 64)
	if err != nil {
		look, err := s.lookOf(r.Context(), who, id)
		if err != nil {
			return err
		}
		if look.from == 0 { // all of it is new
			look.from = 1
		}
		http.Redirect(w, r, notePath(id)+"/changes?"+url.Values{"since": {strconv.FormatUint(look.from, 10)}}.Encode(), http.StatusSeeOther)
		return nil
	}
	view, err := s.compared(r, who, id, past, min(max(since, 1), past.Head()), past.Head())
	if err != nil {
		return err
	}
	view.Heading, view.Whole = words.Say(r.Context(), "Changed since you looked"), asked.Get("show") == "all"
	if err := s.db.LookAtNote(r.Context(), who.ID, id); err != nil {
		return fmt.Errorf("keep last look: %w", err)
	}
	s.render(w, r, http.StatusOK, web.Compare(view))
	return nil
}

// markChanged marks those of a list of notes that have changed since somebody looked, but for those that they look at now.
func (s *Server) markChanged(ctx context.Context, who login.Person, of map[uuid.UUID][]web.NoteLink, present map[sessions.NoteID][]sessions.Presence) error {
	var ids []uuid.UUID
	at := make(map[uuid.UUID]*web.NoteLink)
	for _, links := range of {
		for i := range links {
			id := uuid.MustParse(links[i].ID)
			here := false
			for _, p := range present[id] {
				here = here || p.Author.ID == who.ID
			}
			if !here {
				ids, at[id] = append(ids, id), &links[i]
			}
		}
	}
	changed, err := s.db.ChangedSinceLook(ctx, who.ID, ids)
	if err != nil {
		return fmt.Errorf("look up what has changed: %w", err)
	}
	for _, id := range changed {
		at[id].Changed = true
	}
	return nil
}
