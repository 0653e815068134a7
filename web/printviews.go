package web

import (
	"context"
	_ "embed"
	"io"
	"strings"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/web/paper"
)

// PrintView is a note made ready for paper.
type PrintView struct {
	Shell
	ID   string
	Note paper.Note
}

// ExportView lists the ways in which a note may leave.
type ExportView struct {
	Shell
	Patient
	ID, Title string
	Ways      []ExportWay
}

// ExportWay is one of them.
type ExportWay struct {
	Path    string // behind the note's
	Name    string
	Says    string // in one sentence, what it is good for
	File    bool   // it is downloaded
	Refused string // why it is not offered; empty: it is
}

// PaperOf is what every copy of a note about a patient begins with.
func PaperOf(ctx context.Context, p Patient, v Shell) paper.Note {
	allergies := p.Allergies.heading(ctx)
	if p.Allergies.State == AllergiesKnown {
		allergies += " " + strings.Join(p.Allergies.Known, ", ")
	}
	return paper.Note{
		Patient: p.bannerName(ctx), Born: p.bornText(ctx, v.Now), Gender: p.genderText(ctx), MRN: p.MRN, Allergies: allergies, Unit: p.Unit, Bed: p.Bed,
	}
}

//go:embed src/paper.css
var paperCSS string

//go:embed src/blocks.css
var blocksCSS string

// paperStyle is the style of a file on its own: the same that the print page has.
func paperStyle() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<style>"+blocksCSS+paperCSS+"</style>")
		return err
	})
}
