package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/transport"
	"github.com/clisonix/tidechart/server/vault"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file is the pages about how servers do, and about keys. Nothing is changed there, and no key is shown.

const (
	keysPath   = overviewPath + "/keys"
	systemPath = overviewPath + "/system"
)

// TellStatus says in the database how this server does, for whoever asks any server. Whoever runs it calls it every few seconds.
func (s *Server) TellStatus(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := s.tellStatus(ctx); err != nil && ctx.Err() == nil {
		s.log.Warn("how this server does is not told", "err", err)
	}
}

func (s *Server) tellStatus(ctx context.Context) error {
	status := store.Status{Figures: s.hub.Figures(), Streams: s.streams.all()}
	if s.speaks != nil {
		status.TLS = true
		tally := s.speaks.Tally()
		for group, n := range tally.Shaken {
			if transport.IsPostQuantum(group) {
				status.PostQuantum += n
			} else {
				status.Classical += n
			}
		}
		for _, n := range tally.Failed {
			status.Refused += n
		}
	}
	return s.db.TellStatus(ctx, clip(s.version, maxQuery), s.began, status)
}

// systemPage shows how all servers do. What it says of this one is of this moment.
func (s *Server) systemPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	ctx := r.Context()
	if err := s.tellStatus(ctx); err != nil {
		return err
	}
	servers, err := s.db.Servers(ctx)
	if err != nil {
		return err
	}
	database, err := s.db.DatabaseStatus(ctx)
	if err != nil {
		return fmt.Errorf("ask the database how it does: %w", err)
	}
	view := web.SystemView{
		Shell: s.shellOf(r, who, words.Say(r.Context(), "System"), web.SectionOverview),
		Database: web.DatabaseView{
			Version: database.Version, Bytes: database.Bytes, Connections: int(database.Connections), Most: int(database.MaxConnections), Began: database.BeganAt.Local(),
		},
	}
	var all sessions.Latency
	for _, one := range servers {
		view.Servers = append(view.Servers, serverView(one))
		if one.Here {
			view.Database.Answers = one.Answers
		}
		if one.Running {
			for i, n := range one.Commits.Counts {
				all.Counts[i] += n
			}
			all.Sum += one.Commits.Sum
			view.Retries += one.Commits.Retries
		}
	}
	view.Commits = latencyView(all)
	s.render(w, r, http.StatusOK, web.System(view))
	return nil
}

func serverView(one store.ServerStatus) web.ServerView {
	return web.ServerView{
		ID: one.ID.String()[:8], Here: one.Here, Running: one.Running, Version: one.Version, Began: one.Began.Local(), Seen: one.Seen.Local(),
		Sockets: one.Sockets, Notes: one.Notes, Writers: one.Writers, Streams: one.Streams, Queued: one.Queued, Unsettled: one.Unsettled, Lag: one.Lag,
		Reading: one.Reading, MaxRead: one.MaxRead, TLS: one.TLS, PostQuantum: one.PostQuantum, Classical: one.Classical, Refused: one.Refused,
	}
}

func latencyView(l sessions.Latency) web.LatencyView {
	view := web.LatencyView{All: l.All(), Half: l.Within(0.5), Most: l.Within(0.99)}
	for i, n := range l.Counts {
		part := web.LatencyPart{Count: n}
		if i < len(sessions.CommitBounds) {
			part.Within = sessions.CommitBounds[i]
		}
		view.Parts = append(view.Parts, part)
	}
	return view
}

// keysPage shows by which keys what is stored is sealed, who has them, and what to do next.
func (s *Server) keysPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	if err := s.tellStatus(r.Context()); err != nil {
		return err
	}
	view, err := s.keysView(r.Context())
	if err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Keys"), web.SectionOverview)
	s.render(w, r, http.StatusOK, web.Keys(view))
	return nil
}

func (s *Server) keysView(ctx context.Context) (view web.KeysView, err error) {
	keks, err := s.db.KEKs(ctx)
	if err != nil {
		return view, fmt.Errorf("look up keys: %w", err)
	}
	use, err := s.db.KeyUse(ctx)
	if err != nil {
		return view, fmt.Errorf("count data keys: %w", err)
	}
	servers, err := s.db.Servers(ctx)
	if err != nil {
		return view, err
	}
	retired, err := s.db.RetiredKEKs(ctx)
	if err != nil {
		return view, fmt.Errorf("look up keys: %w", err)
	}
	if id, has := s.db.RecoveryKey(); has {
		view.Recovery = id.String()
	}
	for i, kek := range keks {
		id := vault.KeyID(kek.ID)
		row := web.KeyRow{ID: id.String(), Since: kek.AdoptedAt.Local(), Newest: i == 0}
		for _, u := range use {
			if vault.KeyID(u.Kek) == id {
				row.DataKeys, row.WithoutCopy = int(u.AllOfThem), int(u.WithoutCopy)
			}
		}
		for _, one := range servers {
			switch {
			case !one.Running:
			case slices.Contains(one.Keys, id):
				row.Held++
			default:
				row.Missing++
			}
		}
		view.Rows = append(view.Rows, row)
	}
	for _, kek := range retired {
		view.Retired = append(view.Retired, web.RetiredKey{ID: vault.KeyID(kek.ID).String(), Since: kek.AdoptedAt.Local(), Until: kek.RetiredAt.Local()})
	}
	return view, nil
}
