package web

import (
	"slices"
	"strings"
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

// placeName is what the place is called by whoever has it.
func (s Shell) placeName() string {
	if s.CanSeePeople {
		return "Administration"
	}
	return "Oversight"
}

// placeLinks are the pages that somebody may open.
func (s Shell) placeLinks() (groups []placeGroup) {
	add := func(name string, links ...Choice) { groups = append(groups, placeGroup{name, links}) }
	add("Today", Choice{"/admin", "Overview"})
	if s.CanSeePeople {
		add("People and units", Choice{"/admin/people", "People"}, Choice{"/admin/units", "Units and beds"})
	}
	records := []Choice{{"/admin/sessions", "Sessions and replay"}}
	if s.CanSeeReviews {
		records = append(records, Choice{"/reviews", "Emergency access"})
	}
	if s.CanSeeAccesses {
		records = append(records, Choice{"/reviews/activity", "Unusual access"}, Choice{"/reviews/log", "Log of acts"})
	}
	if s.CanDestroy {
		records = append(records, Choice{"/retention", "Retention"}, Choice{"/destruction", "Holds and destruction"})
	}
	add("Records", records...)
	add("System", Choice{"/admin/system", "Servers"}, Choice{"/admin/keys", "Keys"})
	return groups
}

// at reports whether a page is the one of a link, or below it.
func (s Shell) at(href string) bool {
	if s.Path == href || href == "/admin/people" && s.Path == "/admin/add" {
		return true
	}
	return (href == "/admin/sessions" || href == "/admin/people") && strings.HasPrefix(s.Path, href+"/")
}
