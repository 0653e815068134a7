package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions/tally"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// maxSessionEvents is how much of each kind that happened in a session is shown (I10).
const maxSessionEvents = 500

// remedyText says what the author of lost text did about it.
var remedyText = map[string]words.Text{"": "not settled", "restored": "put back", "dismissed": "not wanted any more"}

// sessionPage shows one session: who was there, how much they wrote, and what went wrong. That somebody looks is on record.
func (s *Server) sessionPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return store.ErrNotFound
	}
	found, err := s.db.Sittings(r.Context(), queries.FindSessionsParams{One: uuid.NullUUID{UUID: id, Valid: true}, Sort: newestFirst, MaxRows: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return store.ErrNotFound
	}
	one := found[0]
	if err := s.db.Record(r.Context(), audit.Event{Act: audit.SeeSession, Patient: one.PatientID, Note: one.NoteID, About: id}); err != nil {
		return err
	}
	view := web.SessionView{Shell: s.shellOf(r, who, words.Say(r.Context(), "Session: {kindName}", web.Named(r.Context(), kindName(one.Kind))), web.SectionSessions), SessionRow: sessionRow(one)}
	if len(one.Stretches) > 0 {
		view.First = one.Stretches[0].First
	}
	if err := s.whatHappened(r, one, &view); err != nil {
		return err
	}
	s.render(w, r, http.StatusOK, web.Session(view))
	return nil
}

// whatHappened adds a session's events, in the order of time.
func (s *Server) whatHappened(r *http.Request, one store.Sitting, view *web.SessionView) error {
	ctx := r.Context()
	stays, err := s.db.ParticipationsOf(ctx, one.ID, maxSessionEvents)
	if err != nil {
		return fmt.Errorf("list comings and goings: %w", err)
	}
	refusals, err := s.db.RefusalsOf(ctx, one.ID, maxSessionEvents)
	if err != nil {
		return fmt.Errorf("list refusals: %w", err)
	}
	losses, err := s.db.LossesOf(ctx, one.ID, maxSessionEvents)
	if err != nil {
		return fmt.Errorf("list lost edits: %w", err)
	}
	names := make(map[uuid.UUID]string, len(one.People))
	for _, p := range one.People {
		names[p.Person.ID] = p.Person.Name
	}
	for _, p := range stays {
		view.Events = append(view.Events, web.SessionEvent{At: p.JoinedAt.Local(), Who: names[p.PersonID], What: words.Say(r.Context(), "came"), More: web.Device(r.Context(), p.Device)})
		if p.LeftAt != nil {
			view.Events = append(view.Events, web.SessionEvent{At: p.LeftAt.Local(), Who: names[p.PersonID], What: words.Say(r.Context(), "left")})
		}
	}
	stretches := one.Stretches[:min(len(one.Stretches), maxSessionEvents)]
	for _, x := range stretches {
		view.Events = append(view.Events, stretchEvent(r.Context(), x, names[x.Person]))
	}
	for _, pause := range tally.Breaks(stretches) {
		view.Events = append(view.Events, web.SessionEvent{At: pause.From.Local(), Until: pause.Until.Local(), Who: words.Say(r.Context(), "nobody"), What: words.Say(r.Context(), "wrote: a break"), Pause: true})
	}
	for _, x := range refusals {
		view.Events = append(view.Events, web.SessionEvent{
			At: x.At.Local(), Who: cmp.Or(x.Name, words.Say(r.Context(), "nobody known")), What: words.Say(r.Context(), "refused: {actText}", actText(r.Context(), x.Act)), More: codeText(r.Context(), x.Code), Grave: true,
		})
	}
	for _, x := range losses {
		view.Events = append(view.Events, web.SessionEvent{
			At: x.At.Local(), Who: x.Author, What: words.Say(r.Context(), "lost text unseen"), Seq: uint64(x.Seq), Grave: true,
			More: words.Say(r.Context(), "{units} characters, removed by {remover}; {or}", fmt.Sprint(x.Units), x.Remover, cmp.Or(words.Say(r.Context(), remedyText[x.How]), x.How)),
		})
	}
	slices.SortStableFunc(view.Events, func(a, b web.SessionEvent) int { return a.At.Compare(b.At) })
	view.Truncated = max(len(stays), len(one.Stretches), len(refusals), len(losses)) >= maxSessionEvents
	return nil
}

// stretchEvent is a run of somebody's edits.
func stretchEvent(ctx context.Context, x tally.Stretch, name string) web.SessionEvent {
	return web.SessionEvent{
		At: x.From.Local(), Until: x.Until.Local(), Who: name, What: words.Say(ctx, "wrote"), Seq: x.First,
		More: words.Say(ctx, "edits: {edits}; words: {words}, deleted: {words2}", strconv.Itoa(x.Edits), strconv.Itoa(x.Typed.Words+x.Pasted.Words), strconv.Itoa(x.Deleted.Words)),
	}
}
