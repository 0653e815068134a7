package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/web"
)

// This file is a unit's board for a hallway: what it shows, everybody reads who walks by.

func wallPath(unit string) string { return "/units/" + unit + "/wall" }

func (s *Server) wall(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeWall)
	if err != nil {
		return err
	}
	look, err := s.lookAt(r.Context(), unit.Unit.ID)
	if err != nil {
		return err
	}
	now := time.Now()
	view := web.WallView{UnitID: unit.Unit.ID, UnitName: unit.Unit.Name, AsOf: now, Now: now, Beds: wallBeds(r.Context(), look, now)}
	s.render(w, r, http.StatusOK, web.Wall(view))
	return nil
}

func (s *Server) wallEvents(w http.ResponseWriter, r *http.Request, who login.Person) error {
	unit, err := s.unitOf(r.Context(), who, r.PathValue("id"), access.SeeWall)
	if err != nil {
		return err
	}
	return s.stream(w, r, who, boardPoll, s.boardNews, &wallPart{server: s, unit: unit.Unit.ID})
}

// wallPart is the beds of a unit, as a wall shows them.
type wallPart struct {
	server *Server
	unit   string
	shown  map[string]web.WallBed // by bed
	day    int                    // of the year, on which that was
}

func (p *wallPart) show(ctx context.Context, who login.Person) (templ.Component, error) {
	if _, err := p.server.unitOf(ctx, who, p.unit, access.SeeWall); err != nil {
		return nil, err
	}
	look, err := p.server.lookAt(ctx, p.unit)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var differ []web.WallBed
	p.shown, differ = changed(p.shown, p.day == now.YearDay(), wallBeds(ctx, look, now), func(bed web.WallBed) string { return bed.ID })
	if differ == nil {
		return nil, nil
	}
	p.day = now.YearDay()
	return web.WallEvent(differ, now), nil
}

// wallBeds are the beds of a unit for everybody: initials, and of a restricted record just that the bed is taken.
func wallBeds(ctx context.Context, look *unitLook, now time.Time) []web.WallBed {
	beds := make([]web.WallBed, len(look.beds))
	for i, row := range look.beds {
		bed := web.WallBed{ID: row.BedID, Label: row.BedLabel, Taken: row.PatientID.Valid}
		if row.PatientID.Valid && !row.Vip {
			says := bedsideView(ctx, row.Bedside)
			bed.Initials, bed.Severity, bed.Home, bed.Alike = wallInitials(row.Patient), says.Severity, says.Home, len(look.alike[row.BedID]) > 0
			if says.Isolated {
				bed.Isolation = says.Isolation.Text
			}
		}
		for _, n := range look.notes[row.PatientID.UUID] {
			if row.Vip || !row.PatientID.Valid {
				break
			}
			for _, p := range noteLink(n.Note, look.present).Writers {
				if !slices.ContainsFunc(bed.Writing, func(w web.Person) bool { return w.ID == p.ID }) {
					bed.Writing = append(bed.Writing, p)
				}
			}
			if !store.IsSigned(n.Note.State) {
				bed.Unsigned++
				if now.Sub(n.Note.CreatedAt) > overdueAfter {
					bed.Overdue++
				}
			}
		}
		beds[i] = bed
	}
	return beds
}

// wallInitials are those of somebody whose record opens.
func wallInitials(p store.Patient) string {
	if p.Family == store.Unreadable || p.Family == store.Destroyed {
		return ""
	}
	return initialsOf(p)
}
