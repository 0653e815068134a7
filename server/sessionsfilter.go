package server

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// Orders of sessions, as FindSessions has them.
const (
	newestFirst = "newest"
	oldestFirst = "oldest"
	mostWords   = "words"
)

var sessionSorts = []web.Option{
	{Value: newestFirst, Text: "newest first"}, {Value: oldestFirst, Text: "oldest first"}, {Value: mostWords, Text: "most words first"},
}

// sessionFilter reads what an address, or a form, asks for. What nobody can ask for is as if it were not there.
func sessionFilter(asked url.Values) web.SessionFilter {
	one := func(name string) string { return clip(strings.TrimSpace(asked.Get(name)), maxQuery) }
	f := web.SessionFilter{
		Person: one("person"), Patient: one("patient"), Unit: one("unit"), State: one("state"), Since: one("since"), Until: one("until"),
		Sort: one("sort"), After: one("after"),
	}
	if f.State != "live" && f.State != "ended" {
		f.State = ""
	}
	if !slices.ContainsFunc(sessionSorts, func(c web.Option) bool { return c.Value == f.Sort }) {
		f.Sort = newestFirst
	}
	return f
}

// sessionQuery finds what a filter names; says is what of it there is not.
func (s *Server) sessionQuery(r *http.Request, f web.SessionFilter) (q queries.FindSessionsParams, says words.Text, err error) {
	q = queries.FindSessionsParams{State: f.State, Unit: f.Unit, Sort: f.Sort}
	var bad error
	if q.Since, bad = dayOf(f.Since, 0); bad == nil {
		q.Until, bad = dayOf(f.Until, 1)
	}
	if bad != nil {
		return q, "Give days as in 2026-11-22.", nil
	}
	if q.Since != nil && q.Until != nil && !q.Since.Before(*q.Until) {
		return q, "The last day is before the first.", nil
	}
	if f.Patient != "" {
		id, err := uuid.Parse(f.Patient)
		if err != nil {
			return q, "There is no such patient.", nil
		}
		q.Patient = uuid.NullUUID{UUID: id, Valid: true}
	}
	if f.After != "" && goOn(&q, f.After) != nil {
		return q, "There is no such page of this list.", nil
	}
	if f.Unit != "" {
		if _, err := s.db.UnitByID(r.Context(), f.Unit); errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
			return q, "There is no such unit.", nil
		} else if err != nil {
			return q, "", err
		}
	}
	if f.Person != "" {
		p, err := s.db.AnyoneByUsername(r.Context(), f.Person)
		if errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
			return q, "Nobody has this username.", nil
		}
		if err != nil {
			return q, "", err
		}
		q.Person = uuid.NullUUID{UUID: p.ID, Valid: true}
	}
	return q, "", nil
}

// dayOf is when a day, or one some days behind it, begins in the hospital's time zone; nil: none is asked for.
func dayOf(text string, behind int) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	day = day.AddDate(0, 0, behind)
	return &day, err
}

// goOnBehind says where a list goes on behind a session: by what it is sorted by, and its id.
func goOnBehind(sitting store.Sitting, sort string) string {
	at := sitting.StartedAt.UnixMicro()
	if sort == mostWords {
		at = sitting.Words
	}
	return strconv.FormatInt(at, 10) + "." + sitting.ID.String()
}

// goOn has a query begin where goOnBehind says.
func goOn(q *queries.FindSessionsParams, after string) error {
	number, name, _ := strings.Cut(after, ".")
	at, err := strconv.ParseInt(number, 10, 64)
	id, bad := uuid.Parse(name)
	if err = cmp.Or(err, bad); err != nil {
		return err
	}
	q.After = uuid.NullUUID{UUID: id, Valid: true}
	if q.Sort == mostWords {
		q.AfterWords = &at
		return nil
	}
	began := time.UnixMicro(at)
	if year := began.Year(); year < 1 || year > 9999 { // as Postgres reads them
		return fmt.Errorf("no session began in %d", year)
	}
	q.AfterAt = &began
	return nil
}

// filterWords is what somebody looked for, as the log of acts has it, sealed. Whose record it was about it has as an id.
func filterWords(f web.SessionFilter) string {
	var words []string
	for _, one := range [][2]string{{"person", f.Person}, {"unit", f.Unit}, {"state", f.State}, {"since", f.Since}, {"until", f.Until}} {
		if one[1] != "" {
			words = append(words, one[0]+"="+one[1])
		}
	}
	return strings.Join(words, " ")
}
