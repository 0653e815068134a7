package prose

import (
	"regexp"
	"strconv"
	"strings"
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
