package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
)

var updateGolden = flag.Bool("update", false, "write golden files anew")

// signedNote is a note of a resident with an attending's signature and an addendum, as a file has it. No log of acts proves it.
func signedNote(t *testing.T) signature.Bundle {
	t.Helper()
	id := func(n byte) uuid.UUID { return uuid.UUID{0: 0x5b, 6: 0x40, 8: 0x80, 15: n} }
	signer, err := signature.NewSigner("tidechart-notes-5b", []byte(strings.Repeat("s", audit.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	content := "tidechart-content/v1 0123456789abcdef\n" + `{"content":[{"content":[{"text":"Better today.","type":"text"}],"type":"paragraph"}],"type":"doc"}` + "\n"
	attribution, err := signature.Attribution([]signature.Run{{Units: 8, Person: id(1)}, {Units: 6, Person: id(2)}})
	if err != nil {
		t.Fatal(err)
	}
	b := signature.Bundle{Keys: []string{signer.Keys().String()}, People: []signature.Person{{ID: id(1), Name: "Dr Ada Okafor"}, {ID: id(2), Name: "Dr Mei Chen"}}}
	who := signature.Identity{Family: "Rivera", Given: "Ana", Title: "Mrs", Born: "1945-07-14", MRN: "129 728"}
	b.Texts = []string{who.Text(), "Seen and examined.\nI agree."}
	at := time.Date(2026, 11, 23, 6, 7, 8, 9000, time.UTC)
	add := func(n *signature.BundleNote, s signature.Statement) signature.Hash {
		s.Patient, s.Identity = id(20), signature.HashOf([]byte(who.Text()))
		history := historyTo(s.Seq, at, id)
		s.Chain = history.End()
		s.Kind, s.Schema, s.Nonce = "progress", "0123456789abcdef", signature.HashOf([]byte("nonce"))
		s.Hashes = signature.Hashes{Content: signature.HashOf([]byte(content)), Attribution: signature.HashOf(attribution)}
		signed, err := signature.Sign(signer, s)
		if err != nil {
			t.Fatal(err)
		}
		text, err := s.Text()
		if err != nil {
			t.Fatal(err)
		}
		n.Note, n.Content, n.Attribution, n.Signatures = s.Note, content, string(attribution), append(n.Signatures, string(signed))
		n.History = history.Text()
		return signature.HashOf([]byte(text))
	}
	var note, addendum signature.BundleNote
	first := add(&note, signature.Statement{Number: 1, Note: id(10), Seq: 42, Signer: id(1), Name: "Dr Ada Okafor", Role: "resident", Meaning: signature.Author, At: at})
	add(&note, signature.Statement{
		Number: 2, Note: id(10), Seq: 42, Signer: id(2), Name: "Dr Mei Chen", Role: "attending", Meaning: signature.Cosign, At: at.Add(time.Hour), Previous: first,
		Remark: signature.HashOf([]byte(b.Texts[1])),
	})
	addendum.Reason = "forgot the vitals"
	add(&addendum, signature.Statement{
		Number: 1, Note: id(11), Parent: id(10), Relation: signature.Addendum, Reason: signature.HashOf([]byte(addendum.Reason)), Seq: 3, Signer: id(2), Name: "Dr Mei Chen",
		Role: "attending", Meaning: signature.Author, At: at.Add(2 * time.Hour),
	})
	b.Notes = []signature.BundleNote{note, addendum}
	return b
}

// historyTo is a log of so many rows that ends at a time, two of them each of somebody else.
func historyTo(seq uint64, at time.Time, id func(byte) uuid.UUID) signature.History {
	h := signature.History{From: 1}
	for i := range seq {
		h.Rows = append(h.Rows, signature.HistoryRow{
			Author: id(1 + byte(i/2%2)), Session: id(30), At: at.Add(time.Duration(i-seq) * time.Second), Cover: signature.HashOf([]byte{byte(i)}),
		})
	}
	return h
}

// verified writes a bundle to a file, has note verify look at it, and returns what that says.
func verified(t *testing.T, b signature.Bundle, keys ...string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "note.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	report, err := (&noteVerifyCmd{File: path, Keys: keys}).check()
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	return said.String(), errors.Join(tellNotes(&said, report), func() error {
		golden := filepath.Join("testdata", strings.ReplaceAll(t.Name(), "/", "-")+".golden")
		if *updateGolden {
			return os.WriteFile(golden, said.Bytes(), 0o600)
		}
		want, err := os.ReadFile(golden)
		if err == nil && said.String() != string(want) {
			t.Errorf("it says\n%s, want\n%s", said.String(), want)
		}
		return err
	}())
}

// TestNoteVerify: the command says what holds, who signed what when as what, and what that rests on.
func TestNoteVerify(t *testing.T) {
	b := signedNote(t)
	keys, err := signature.ParseKeys(b.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, given := range map[string][]string{"trusted": {keys.Fingerprint()}, "own word": nil} {
		t.Run(name, func(t *testing.T) {
			if _, err := verified(t, b, given...); err != nil {
				t.Error(err)
			}
		})
	}
	for name, tt := range map[string]struct {
		change func(s *signature.Statement)
		want   string
	}{
		"a handoff that was read back": {func(s *signature.Statement) { s.Meaning = signature.Receiver }, "as the receiver by Dr Mei Chen"},
		"what no attending cosigned":   {func(s *signature.Statement) { s.Meaning = signature.Witness }, "of a resident, and not cosigned"},
	} {
		r, err := signedNote(t).Verify(signature.Trust{})
		if err != nil {
			t.Fatal(err)
		}
		tt.change(&r.Notes[0].Signatures[1].Statement)
		var said bytes.Buffer
		if err := tellNotes(&said, r); err != nil || !strings.Contains(said.String(), tt.want) {
			t.Errorf("%s: it says\n%s", name, said.String())
		}
	}
	for relation, want := range map[signature.Relation]string{signature.Retraction: "ENTERED IN ERROR", signature.Correction: "CORRECTED", signature.Addendum: "added to since"} {
		r := signature.Report{Notes: []signature.NoteReport{{Became: relation, Signatures: make([]signature.Signed, 1)}}}
		var said bytes.Buffer
		if err := tellNotes(&said, r); err != nil || !strings.Contains(said.String(), want) {
			t.Errorf("with a %s it says\n%s", relation, said.String())
		}
	}
	b.Notes[0].Content = strings.Replace(b.Notes[0].Content, "Better", "Worse", 1)
	_, err = verified(t, b)
	var coded interface{ ExitCode() int }
	if !errors.As(err, &coded) || coded.ExitCode() != 2 || err.Error() != "content altered in note 5b000000-0000-4000-8000-00000000000a, signature 1: the note is not the one that Dr Ada Okafor signed" {
		t.Errorf("altered: %v", err)
	}
	if _, err = verified(t, signedNote(t), "0123"); !errors.As(err, &coded) || coded.ExitCode() != 2 || !strings.HasPrefix(err.Error(), "unknown keys: ") {
		t.Errorf("with other keys: %v", err)
	}
	path := filepath.Join(t.TempDir(), "no bundle")
	if err := os.WriteFile(path, []byte(`{"tidechart":"tidechart note bundle v3"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&noteVerifyCmd{File: path}).Run(); !errors.Is(err, signature.ErrBundle) || errors.As(err, &coded) {
		t.Errorf("what is no bundle: %v", err)
	}
}
