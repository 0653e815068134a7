package prose

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/clisonix/tidechart/crdt"
)

// A Task is what a taskItem says besides its text.
type Task struct {
	Done      bool
	Owner     string // id of a person; "": nobody's
	OwnerName string // as it was when the task was given them
	Due       string // a day, or a minute of one, where the hospital is: 2026-11-23, 2026-11-23T14:00; "": any time
}

// TaskOf returns what a taskItem says. What is no text among its attributes is shown as JSON: nothing that a note holds is kept from
// its reader.
func TaskOf(n Node) Task {
	t := Task{Done: n.Attrs["checked"] == true, Owner: attrText(n, "owner"), OwnerName: attrText(n, "ownerName"), Due: attrText(n, "due")}
	if t.Owner != "" && t.OwnerName == "" {
		t.OwnerName = "Somebody"
	}
	return t
}

func attrText(n Node, name string) string {
	switch v := n.Attrs[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		j, err := appendValue(nil, v)
		if err != nil {
			return name
		}
		return string(j)
	}
}

// due matches a time that a task is due.
var due = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?$`)

var months = [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// DueText is when a task is due as it is written in the record: 23-Nov-2026, 23-Nov-2026 14:00. What is no such time stays as it is.
func (t Task) DueText() string {
	m := due.FindStringSubmatch(t.Due)
	if m == nil {
		return t.Due
	}
	month, _ := strconv.Atoi(m[2])
	if month < 1 || month > len(months) {
		return t.Due
	}
	return strings.TrimSpace(m[3] + "-" + months[month-1] + "-" + m[1] + " " + m[4])
}

// About says whose a task is and when it is due: "Rosa Rivera RN, due 23-Nov-2026".
func (t Task) About() string {
	var parts []string
	if t.OwnerName != "" {
		parts = append(parts, t.OwnerName)
	}
	if t.Due != "" {
		parts = append(parts, "due "+t.DueText())
	}
	return strings.Join(parts, ", ")
}

// box is how a task's state is written in text.
func (t Task) box() string {
	if t.Done {
		return "[x]"
	}
	return "[ ]"
}

// MentionText is what stands for a mention: the name that was meant, as it was then.
func MentionText(n Node) string {
	if label := attrText(n, "label"); label != "" {
		return "@" + label
	}
	return "[" + n.Label() + "]"
}

// A PlacedTask is a task with where it is in its note.
type PlacedTask struct {
	Task
	ID     crdt.ID // of its element, which stays while its text and attributes are edited
	Author crdt.ClientID
	Text   string // what is to be done, on lines; tasks within it are tasks of their own
}

// Tasks returns the tasks of a note that was read by [ReadTraced], in its order; of very many the first.
func Tasks(doc Node, most int) (out []PlacedTask) {
	var walk func(ns []Node)
	walk = func(ns []Node) { // depth is bounded by MaxDepth
		for _, n := range ns {
			if n.Type == "taskItem" && len(n.Pieces) > 0 && len(out) < most {
				out = append(out, PlacedTask{TaskOf(n), n.Pieces[0].ID, n.Author, ownText(n)})
			}
			walk(n.Content)
		}
	}
	walk(doc.Content)
	return out
}

// A PlacedMention is somebody whom a note names.
type PlacedMention struct {
	ID     crdt.ID // of its element
	Author crdt.ClientID
	Person string // an id
}

// Mentions returns whom a note names that was read by [ReadTraced], in its order; of very many the first.
func Mentions(doc Node, most int) (out []PlacedMention) {
	var walk func(ns []Node)
	walk = func(ns []Node) { // depth is bounded by MaxDepth
		for _, n := range ns {
			if id := attrText(n, "id"); n.Type == "mention" && id != "" && len(n.Pieces) > 0 && len(out) < most {
				out = append(out, PlacedMention{n.Pieces[0].ID, n.Author, id})
			}
			walk(n.Content)
		}
	}
	walk(doc.Content)
	return out
}

// ownText is what a task says, without the tasks within it.
func ownText(n Node) string {
	own := Node{Type: "doc"}
	for _, c := range n.Content {
		if c.Type != "taskList" {
			own.Content = append(own.Content, c)
		}
	}
	return Text(own)
}

// Tick sets whether a task of a note is done, as an edit of tx, and reports whether it is there and was not so already.
func Tick(tx *crdt.Txn, f *crdt.XMLFragment, id crdt.ID, done bool) bool {
	for _, c := range f.Children() {
		x, ok := c.Value.(*crdt.XMLElement)
		if !ok {
			continue
		}
		if at, _ := x.ID(); at == id && x.Name() == "taskItem" {
			if x.Attributes()["checked"] == done {
				return false
			}
			x.SetAttribute(tx, "checked", done)
			return true
		}
		if Tick(tx, &x.XMLFragment, id, done) {
			return true
		}
	}
	return false
}
