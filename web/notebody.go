package web

import (
	"context"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/web/words"
)

// parts are the style sheets and scripts that a note page needs.
func (v NoteView) parts() []string {
	if !v.Live {
		return []string{"notes.css", "threads.css"}
	}
	return []string{"notes.css", "threads.css", "live.css", "day.js", "editor.js"}
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

// spans are how many columns and rows a cell takes, where it is not one.
func spans(n prose.Node) templ.Attributes {
	attrs := templ.Attributes{}
	for _, name := range []string{"colspan", "rowspan"} {
		if span := intAttr(n, name, 1); span > 1 && span <= maxSpan {
			attrs[name] = strconv.Itoa(span)
		}
	}
	return attrs
}

// maxSpan is how many columns or rows a cell takes at most, as tables.ts has it.
const maxSpan = 64

// taskData is what an editor needs to know a task again that is copied from a page.
func taskData(n prose.Node) templ.Attributes {
	t := prose.TaskOf(n)
	attrs := templ.Attributes{"data-checked": strconv.FormatBool(t.Done)}
	for name, value := range map[string]string{"data-owner": t.Owner, "data-owner-name": t.OwnerName, "data-due": t.Due} {
		if value != "" {
			attrs[name] = value
		}
	}
	return attrs
}

func doneLabel(ctx context.Context, t prose.Task) string {
	if t.Done {
		return words.Say(ctx, "Done")
	}
	return words.Say(ctx, "Not done")
}

func mentionData(n prose.Node) templ.Attributes {
	attrs := templ.Attributes{"data-kind": "person"}
	for attr, name := range map[string]string{"kind": "data-kind", "id": "data-id"} {
		if s, ok := n.Attrs[attr].(string); ok {
			attrs[name] = s
		}
	}
	return attrs
}

func suggestionData(m prose.Mark) templ.Attributes {
	if id, ok := m.Attrs["id"].(string); ok {
		return templ.Attributes{"data-suggestion": id}
	}
	return templ.Attributes{}
}

// suggestedRun is inline nodes of one suggestion, without its mark; or of none, with all of theirs.
type suggestedRun struct {
	mark  prose.Mark
	nodes []prose.Node
}

// suggestedRuns cuts a line where suggestions begin and end.
func suggestedRuns(ns []prose.Node) (runs []suggestedRun) {
	for len(ns) > 0 {
		m, _, of := prose.SuggestionOf(ns)
		if of != nil {
			runs, ns = append(runs, suggestedRun{m, of}), ns[len(of):]
			continue
		}
		k := 1
		for ; k < len(ns); k++ {
			if _, _, of := prose.SuggestionOf(ns[k:]); of != nil {
				break
			}
		}
		runs, ns = append(runs, suggestedRun{nodes: ns[:k]}), ns[k:]
	}
	return runs
}
