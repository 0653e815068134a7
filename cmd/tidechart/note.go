package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/sessions"
)

// noteCmd is what an operator, and anybody who was given a note, does with signed ones.
type noteCmd struct {
	Export noteExportCmd `cmd:"" help:"Write a signed note, and the notes about it, with all that it takes to check them, to standard output. It is recorded."`
	Verify noteVerifyCmd `cmd:"" help:"Check an exported note: who signed what, when, as what. Needs no database. Exit status 2: something is wrong with it."`
	Keys   noteKeysCmd   `cmd:"" help:"The keys by which notes are signed."`
}

type noteExportCmd struct {
	database
	keysFlags

	Note uuid.UUID `arg:"" help:"Id of the note."`
}

func (c *noteExportCmd) Run(ctx context.Context, log *slog.Logger) error {
	db, err := c.openSealed(ctx, c.keysFlags, log)
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := db.ExportNote(ctx, c.Note)
	switch {
	case errors.Is(err, sessions.ErrNoNote):
		return fmt.Errorf("there is no note %s", c.Note)
	case errors.Is(err, store.ErrUnsigned):
		return fmt.Errorf("note %s is not signed: there is nothing to check yet", c.Note)
	case err != nil:
		return err
	}
	var text bytes.Buffer
	if err := b.Write(&text); err != nil {
		return err
	}
	_, err = os.Stdout.Write(text.Bytes())
	return err
}

type noteVerifyCmd struct {
	File    string   `arg:"" type:"existingfile" help:"Exported note."`
	Keys    []string `placeholder:"FINGERPRINT" help:"Fingerprints of the keys by which notes are signed there, as its operator gave them to you, or the log of acts has them. Without any, the file's own word counts."`
	LogKeys string   `placeholder:"FINGERPRINT" help:"Fingerprint of keys of the log of acts there: tidechart audit keys. With it, each signature has to be proven to be in that log."`
}

func (c *noteVerifyCmd) Help() string {
	return `A note is good if it is, to the byte, what each signer has signed by Ed25519 and by ML-DSA-65, as who, when, as what and behind whom; and if
who wrote which of it is what they signed, too; and if the rows of its log, as the file has them, lead to the link that they signed, past those which the
log of acts has, so that none of them was changed, left out, added or given to somebody else. What rows say is not in the file. A signature of another note, version, person, meaning or time does not pass. If the file
says so, the log of acts has the signing: then nobody can have signed it later than the log's checkpoint; with --log-keys, each signature has to
have that proof. What was signed about the note after the file was made is not in it.

Exit status: 0 the note is good, 1 the file could not be read, 2 something is wrong with it: the first thing is named.`
}

func (c *noteVerifyCmd) Run() error {
	report, err := c.check()
	if err != nil {
		return err
	}
	return tellNotes(os.Stdout, report)
}

func (c *noteVerifyCmd) check() (r signature.Report, err error) {
	f, err := os.Open(c.File)
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := signature.ReadBundle(f)
	if err != nil {
		return r, fmt.Errorf("%s: %w", c.File, err)
	}
	r, err = b.Verify(signature.Trust{Keys: c.Keys, Log: c.LogKeys})
	if fault := new(signature.Fault); errors.As(err, &fault) {
		err = foundBad{err}
	}
	return r, err
}

// asWhat says the meanings of signatures in words.
var asWhat = map[signature.Meaning]string{
	signature.Author: "the author", signature.Cosign: "cosigner", signature.Witness: "a witness", signature.Receiver: "the receiver",
}

// hasBecome says what later notes in the file make of one.
var hasBecome = map[signature.Relation]string{
	signature.Addendum: "signed, and added to since", signature.LateEntry: "signed, and added to since", signature.Correction: "SIGNED, AND CORRECTED SINCE",
	signature.Retraction: "ENTERED IN ERROR, says a signed retraction",
}

// stateOf says how a note stands, as far as the file has it.
func stateOf(n signature.NoteReport) string {
	state := cmp.Or(hasBecome[n.Became], "signed")
	cosigned := slices.ContainsFunc(n.Signatures, func(s signature.Signed) bool { return s.Meaning == signature.Cosign })
	if n.Signatures[0].Role == "resident" && !cosigned {
		state += "; of a resident, and not cosigned"
	}
	return state
}

// historyWords says what was followed of a note's log.
func historyWords(h *signature.HistoryReport) string {
	if h == nil {
		return "history     the file has none: an earlier version wrote it\n"
	}
	var b strings.Builder
	if h.From > 1 {
		fmt.Fprintf(&b, "history     rows 1 to %d are in it by their last link alone\n", h.From-1)
	}
	if h.From <= h.To {
		const day = "2006-01-02 15:04:05 UTC"
		fmt.Fprintf(&b, "history     rows %d to %d lead to what was signed; they came from %s to %s\n            people %d, sessions %d, entries of the log of acts on the way %d\n",
			h.From, h.To, h.First.UTC().Format(day), h.Last.UTC().Format(day), h.People, h.Sessions, h.Entries)
	}
	return b.String()
}

// tellNotes says what was found good, and what that rests on.
func tellNotes(w io.Writer, r signature.Report) error {
	var b strings.Builder
	fmt.Fprintln(&b, "good")
	fingerprints := make(map[string]bool)
	for _, n := range r.Notes {
		first := n.Signatures[0]
		about := ""
		if first.Relation != "" {
			about = fmt.Sprintf(", %s to note %s", first.Relation, first.Parent)
		}
		fmt.Fprintf(&b, "\nnote        %s, %s%s\nstate       %s\nversion     seq %d, content %s\n", n.Note, first.Kind, about, stateOf(n), first.Seq, first.Content)
		for k, s := range n.Signatures {
			switch {
			case s.Patient == uuid.Nil && k == 0:
				fmt.Fprintln(&b, "patient     not part of what was signed: an earlier version signed it")
			case s.Patient != uuid.Nil && (k == 0 || s.Who != n.Signatures[k-1].Who):
				fmt.Fprintf(&b, "patient     %s (%s), as signature %d was shown\n", s.Who, s.Patient, s.Number)
			}
		}
		for _, p := range n.Parts {
			who := cmp.Or(p.Name, "no name given")
			if p.Person == uuid.Nil {
				fmt.Fprintf(&b, "written     %d characters and blocks by nobody who is known\n", p.Units)
			} else {
				fmt.Fprintf(&b, "written     %d characters and blocks by %s (%s)\n", p.Units, who, p.Person)
			}
		}
		b.WriteString(historyWords(n.History))
		for _, s := range n.Signatures {
			fingerprints[s.Keys] = true
			where := "not proven to be in the log of acts"
			if s.Logged >= 0 {
				where = fmt.Sprintf("entry %d of the log of acts", s.Logged)
			}
			fmt.Fprintf(&b, "signed %-4d as %s by %s, %s (%s)\n            on %s, %s\n", s.Number, asWhat[s.Meaning], s.Name, s.Role, s.Signer,
				s.At.UTC().Format("2006-01-02 15:04:05.000000 UTC"), where)
			if s.Said != "" {
				fmt.Fprintf(&b, "            and says %q\n", s.Said)
			}
		}
	}
	if r.LeftOut > 0 {
		fmt.Fprintf(&b, "\nleft out    %d more about these, which whoever took the file may not read: how they stand may be otherwise\n", r.LeftOut)
	}
	whose := "as you gave them"
	if !r.Trusted {
		whose = "the file's own word: compare with what the operator gave you, or give --keys"
	}
	fmt.Fprintln(&b)
	for _, fingerprint := range slices.Sorted(maps.Keys(fingerprints)) {
		fmt.Fprintf(&b, "keys        %s, %s\n", fingerprint, whose)
	}
	if r.LogKeys == "" {
		fmt.Fprintln(&b, "log of acts the file proves nothing of it; export the note again in a minute")
	} else {
		whose := "as you gave them"
		if !r.Logged {
			whose = "the file's own word: compare, or give --log-keys"
		}
		fmt.Fprintf(&b, "log of acts %d entries on %s, keys %s, %s\n", r.Log.Size, r.Log.At.UTC().Format(time.DateTime+" UTC"), r.LogKeys, whose)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
