package web

import (
	"context"
	"slices"
	"strings"

	"github.com/clisonix/tidechart/web/words"
)

// The place of those who administer, and of those who review: pages with one navigation beside them.

// placeGroup is some pages of the place.
type placeGroup struct {
	Name  string
	Links []Choice // paths and names
}

func (g placeGroup) id() string { return strings.ToLower(strings.Fields(g.Name)[0]) }

// hasPlace reports whether a page is one of the place.
func (s Shell) hasPlace() bool {
	return s.CanSeeSessions && slices.Contains([]Section{SectionOverview, SectionSessions, SectionPeople, SectionReviews, SectionDestruction}, s.Active)
}

// atReviews reports whether a page is the list of emergency accesses, to which the bar on top leads, too: what stands beside it in the place
// is not that list.
func (s Shell) atReviews() bool {
	return s.Active == SectionReviews && (!s.hasPlace() || s.at("/reviews"))
}

// placeName is what the place is called by whoever has it.
func (s Shell) placeName(ctx context.Context) string {
	if s.CanSeePeople {
		return words.Say(ctx, "Administration")
	}
	return words.Say(ctx, "Oversight")
}

// placeLinks are the pages that somebody may open.
func (s Shell) placeLinks(ctx context.Context) (groups []placeGroup) {
	add := func(name string, links ...Choice) { groups = append(groups, placeGroup{name, links}) }
	add(words.Say(ctx, "Today"), Choice{"/admin", words.Say(ctx, "Overview")})
	if s.CanSeePeople {
		add(words.Say(ctx, "People and units"), Choice{"/admin/people", words.Say(ctx, "People")}, Choice{"/admin/units", words.Say(ctx, "Units and beds")})
	}
	records := []Choice{{"/admin/sessions", words.Say(ctx, "Sessions and replay")}}
	if s.CanSeeReviews {
		records = append(records, Choice{"/reviews", words.Say(ctx, "Emergency access")})
	}
	if s.CanSeeAccesses {
		records = append(records, Choice{"/reviews/activity", words.Say(ctx, "Unusual access")}, Choice{"/reviews/log", words.Say(ctx, "Log of acts")})
	}
	if s.CanDestroy {
		records = append(records, Choice{"/retention", words.Say(ctx, "Retention")}, Choice{"/destruction", words.Say(ctx, "Holds and destruction")})
	}
	add(words.Say(ctx, "Records"), records...)
	add(words.Say(ctx, "System"), Choice{"/admin/system", words.Say(ctx, "Servers")}, Choice{"/admin/keys", words.Say(ctx, "Keys")})
	return groups
}

// at reports whether a page is the one of a link, or below it.
func (s Shell) at(href string) bool {
	if s.Path == href || href == "/admin/people" && s.Path == "/admin/add" {
		return true
	}
	return (href == "/admin/sessions" || href == "/admin/people") && strings.HasPrefix(s.Path, href+"/")
}
