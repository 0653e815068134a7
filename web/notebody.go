package web

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
)

// scripts are the entry points that a note page needs.
func (v NoteView) scripts() []string {
	if !v.Live {
		return nil
	}
	return []string{"editor.js"}
}

// intAttr reads a whole number, in whichever numeric type it was decoded.
func intAttr(n prose.Node, name string, otherwise int) int {
	switch x := n.Attrs[name].(type) {
	case int:
		return x
	case int64:
		return int(x)
	case uint64:
		return int(x)
	case float64:
		if x == float64(int(x)) {
			return int(x)
		}
	}
	return otherwise
}

// safeHref is the address of a link, if it leads to the web or to a mail
// address. Anything else, above all a scheme that runs code, is no link.
func safeHref(m prose.Mark) (templ.SafeURL, bool) {
	raw, _ := m.Attrs["href"].(string)
	u, err := url.Parse(raw)
	if err != nil {
		return "", false
	}
	switch u.Scheme { // in lower case, whatever was written
	case "http", "https":
		if u.Host == "" {
			return "", false
		}
	case "mailto":
	default:
		return "", false
	}
	return templ.SafeURL(u.String()), true
}
