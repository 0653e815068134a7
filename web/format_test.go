package web

import (
	"testing"
	"time"
)

func TestAge(t *testing.T) {
	at := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct{ name, born, now, want string }{
		{"born today", "2026-03-09", "2026-03-09", "0d"},
		{"four weeks less a day", "2026-02-10", "2026-03-09", "27d"},
		{"four weeks", "2026-02-09", "2026-03-09", "4w"},
		{"four weeks and a day", "2026-02-08", "2026-03-09", "4w 1d"},
		{"the day before one year", "2025-03-10", "2026-03-09", "52w"},
		{"one year", "2025-03-09", "2026-03-09", "12m"},
		{"a month that has no such day", "2025-01-31", "2026-03-01", "13m"},
		{"the day before two years", "2024-03-10", "2026-03-09", "23m 27d"},
		{"two years", "2024-03-09", "2026-03-09", "2y"},
		{"five years and two months", "2020-12-30", "2026-03-09", "5y 2m"},
		{"the day before one is of age", "2008-03-10", "2026-03-09", "17y 11m"},
		{"of age", "2008-03-09", "2026-03-09", "18y"},
		{"the day before the birthday", "1945-03-10", "2026-03-09", "80y"},
		{"the birthday", "1945-03-09", "2026-03-09", "81y"},
		{"a leap day, in a common year, the day before", "2000-02-29", "2026-02-28", "25y"},
		{"a leap day, in a common year", "2000-02-29", "2026-03-01", "26y"},
		{"born tomorrow", "2026-03-10", "2026-03-09", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Age(t.Context(), at(tt.born), at(tt.now)); got != tt.want {
				t.Errorf("Age(%s, %s) = %q; want %q", tt.born, tt.now, got, tt.want)
			}
		})
	}
}

func TestBannerName(t *testing.T) {
	tests := []struct {
		name string
		p    Patient
		want string
	}{
		{"all parts", Patient{Family: "Whitcombe", Given: "Eleanor", Title: "Mrs"}, "WHITCOMBE, Eleanor (Mrs)"},
		{"no title", Patient{Family: "Nguyen", Given: "Thi"}, "NGUYEN, Thi"},
		{"family only", Patient{Family: "de Vries"}, "DE VRIES"},
		{"given only", Patient{Given: "Sukarno"}, "Sukarno"},
		{"nothing", Patient{}, "Name not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.bannerName(t.Context()); got != tt.want {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}

func TestTabTitleHidesTheName(t *testing.T) {
	if got, want := TabTitle(t.Context(), "Progress note", patients[0]), "Progress note, bed 4A-01, EW"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if got, want := TabTitle(t.Context(), "Progress note", Patient{Family: "Étienne"}), "Progress note, É"; got != want {
		t.Errorf("without a bed: got %q; want %q", got, want)
	}
}

func TestMoment(t *testing.T) {
	tests := []struct {
		name string
		t    time.Time
		want string
	}{
		{"today", now.Add(-time.Hour), "13:02"},
		{"yesterday at the same time", now.Add(-24 * time.Hour), "08-Mar-2026 14:02"},
		{"never", time.Time{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := moment(t.Context(), tt.t, now); got != tt.want {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	tests := []struct {
		name string
		beds []BoardBed
		want string
	}{
		{"nobody", nil, "0 of 0 beds occupied, nobody is writing"},
		{"the sample", boardSample().Beds, "4 of 5 beds occupied, 1 unstable, 2 notes overdue, 3 people are writing 3 notes"},
		{
			"one person in two notes",
			[]BoardBed{{ID: "1", Patient: &patients[0], Writing: []Writer{{chen, "n1", ""}, {chen, "n2", ""}}}},
			"1 of 1 bed occupied, 1 person is writing 2 notes",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := TotalsOf(tt.beds).text(t.Context()); got != tt.want {
				t.Errorf("got %q; want %q", got, tt.want)
			}
		})
	}
}
