package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/web"
)

// This file tells whoever has to know, on whatever page they are, that somebody broke the glass, asks them to sign what they began, named them,
// or has a note ready for review.

// noticePoll is how often a page that is told of nothing looks by itself: whether its person may still know, and whether a
// shift made them somebody who has to.
const noticePoll = web.PingInterval

// noticesFor returns what of broken glass waits for somebody's review, what they have not looked at yet, and what they are told of
// notes.
func (s *Server) noticesFor(ctx context.Context, who login.Person) (found web.Notices, err error) {
	if found.Asked, err = s.nudgesFor(ctx, who); err != nil {
		return found, err
	}
	if found.Cosigns = access.May(who.Role, access.CosignNote); found.Cosigns {
		if found.ToCosign, err = s.toCosign(ctx, who); err != nil {
			return found, err
		}
	}
	if found.Reviewer, err = s.toldOf(ctx, who); err != nil || !found.Reviewer {
		return found, err
	}
	rows, err := s.db.GlassWaiting(ctx, who.ID, access.MayAlways(who.Role, access.SeeReviews), maxReviews)
	if err != nil {
		return found, fmt.Errorf("look for broken glass: %w", err)
	}
	for _, row := range rows {
		about := access.Note{Ties: access.TiesOf(row.Ties)}
		if !access.Decide(asker(who), access.SeeReviews, about).Allow {
			continue
		}
		if access.Decide(asker(who), access.CloseReview, about).Allow {
			found.Reviews++
		}
		if !row.Looked {
			found.Unseen = append(found.Unseen, web.Notice{Name: row.Name, Role: row.Role, At: row.At.Local()})
		}
	}
	return found, nil
}

// toldOf reports whether somebody's pages are told of broken glass: by their office, on a unit where they are in charge, or
// because people work under them who may break it.
func (s *Server) toldOf(ctx context.Context, who login.Person) (bool, error) {
	switch {
	case !access.May(who.Role, access.SeeReviews):
		return false, nil
	case access.Decide(asker(who), access.SeeReviews, access.Note{Ties: access.Unit}).Allow:
		return true, nil
	}
	under, err := s.db.RolesUnder(ctx, uuid.NullUUID{UUID: who.ID, Valid: true})
	if err != nil {
		return false, fmt.Errorf("look up who works under somebody: %w", err)
	}
	return slices.ContainsFunc(under, func(role string) bool { return access.May(access.Role(role), access.BreakGlass) }), nil
}

// hears reports whether somebody's pages are told of anything: of broken glass, or of what they are asked to sign.
func (s *Server) hears(ctx context.Context, who login.Person) (bool, error) {
	if mayBeNudged(who) {
		return true, nil
	}
	return s.toldOf(ctx, who)
}

// pageEvents streams what pages tell whoever has them open.
func (s *Server) pageEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	hears, err := s.hears(r.Context(), who)
	if err != nil {
		return err
	}
	if !hears {
		return errNoPage
	}
	return s.stream(w, r, who, noticePoll, func() (sessions, news <-chan struct{}) { return nil, s.pageNews.heard() }, &noticePart{server: s})
}

// noticePart is what a page tells its person. Whoever connects is told all of it, again or for the first time.
type noticePart struct {
	server *Server
	told   bool
	shown  web.Notices
}

func (p *noticePart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	now, err := p.server.noticesFor(ctx, who)
	if err != nil {
		return nil, err
	}
	if p.told && now.ToCosign == p.shown.ToCosign && now.Reviews == p.shown.Reviews && slices.Equal(now.Unseen, p.shown.Unseen) && slices.Equal(now.Asked, p.shown.Asked) {
		return nil, nil
	}
	now.Reviewer = now.Reviewer && (!p.told || p.shown.Reviewer) // else the page has no place for it
	now.Cosigns = now.Cosigns && (!p.told || p.shown.Cosigns)
	p.told, p.shown = true, now
	return web.NoticeEvent(now, time.Now()), nil
}
