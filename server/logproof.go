package server

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
)

// placeWithin is how long after it happened an act has its place at the latest, unless somebody holds a transaction open, or keeps it from
// getting one.
const placeWithin = time.Minute

// showActs adds entries, how far the log is signed for, and which of the entries are not those that were signed.
func (s *Server) showActs(r *http.Request, v *web.LogView, rows []queries.SearchAuditRow) error {
	l, err := s.db.AuditLog(r.Context(), false)
	switch {
	case errors.Is(err, store.ErrNotFound):
		l = nil
	case errors.Is(err, audit.ErrSignature), errors.Is(err, audit.ErrCheckpoint):
		l, v.Broken = nil, err.Error()
	case err != nil:
		return err
	default:
		c, err := l.Keys.Open(l.Newest)
		if err != nil {
			return err
		}
		v.Signed, v.SignedAt, v.Waiting, v.Fingerprint = c.Size, c.At.Local(), l.Size-c.Size, l.Keys.Newest().Fingerprint()
		v.SignedAgo = time.Since(c.At)
	}
	for _, row := range rows {
		one := web.LogRow{
			Entry: row.Seq, At: row.At.Local(), Who: row.Who, Role: row.Role, What: actText(r.Context(), row.Act), Outcome: row.Outcome, Code: codeText(r.Context(), row.Code), About: row.About,
			Late: row.Seq < 0 && time.Since(row.At) > placeWithin,
		}
		if row.PatientID.Valid {
			one.PatientID = row.PatientID.UUID.String()
		}
		if l != nil && row.Seq >= 0 {
			good, err := l.Holds(r.Context(), row)
			if err != nil {
				return fmt.Errorf("compare entry %d with the tree: %w", row.Seq, err)
			}
			one.Changed = !good
		}
		if one.Changed || one.Late {
			v.Bad++
		}
		v.Rows = append(v.Rows, one)
	}
	if v.Bad > 0 {
		s.log.Error("entries of the log of acts are not as they were signed, or have no place", "entries", v.Bad)
	}
	return nil
}
