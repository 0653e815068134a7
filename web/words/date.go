package words

import (
	"context"
	"strings"
	"time"
)

// Short names, in one message of as many words as there are names.
const (
	months Text = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
	days   Text = "Sun Mon Tue Wed Thu Fri Sat"
)

// Date is a time by a layout of package time, with short names of months and days as whoever reads has them. All else of it is as in
// English: the rules of the NHS for dates are for every language.
func Date(ctx context.Context, t time.Time, layout string) string {
	l := Of(ctx)
	if l == nil {
		return t.Format(layout)
	}
	for _, of := range []struct {
		name  string
		names Text
		n     int
	}{{"Jan", months, int(t.Month()) - 1}, {"Mon", days, int(t.Weekday())}} {
		if before, after, has := strings.Cut(layout, of.name); has {
			return Date(ctx, t, before) + strings.Fields(l.say(of.names))[of.n] + Date(ctx, t, after)
		}
	}
	return t.Format(layout)
}

// sameNames reports whether a translation of names has as many.
func sameNames(english Text, says string) bool {
	return english != months && english != days || len(strings.Fields(says)) == len(strings.Fields(string(english)))
}

// Dated is a date of English, 23-Nov-2026 or 23-Nov-2026 14:00, with the month as whoever reads has it. What is none stays as it is.
func Dated(ctx context.Context, english string) string {
	if parts := strings.SplitN(english, "-", 3); Of(ctx) != nil && len(parts) == 3 {
		if at, err := time.Parse("Jan", parts[1]); err == nil {
			parts[1] = Date(ctx, at, "Jan")
			return strings.Join(parts, "-")
		}
	}
	return english
}
