package store_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/vault"
)

// exported is a note of a resident, cosigned and witnessed, with a signed addendum and one that is a draft, as it is exported: with proofs from
// the log of acts.
func exported(t *testing.T) (h hospital, note, other uuid.UUID, b signature.Bundle) {
	t.Helper()
	h = open(t)
	h.must(t, `UPDATE person SET role = 'resident', supervisor_id = $1 WHERE id = $2`, h.other, h.author)
	h.must(t, `UPDATE person SET role = 'attending' WHERE id = $1`, h.other)
	third := uuid.New()
	h.must(t, `INSERT INTO person (id, username, name, role, color) VALUES ($1, 'cy', 'Cy', 'nurse', 0)`, third)
	note, other = h.newNote(t), h.newNote(t)
	h.scribbler(note, h.author, 7).types(t, "two words")
	h.scribbler(note, h.other, 8).types(t, "and more")
	h.sign(t, note, h.author)
	h.sign(t, other, h.author)
	seen := h.seen(t, note)
	attests := seen
	attests.Remark = "Seen and examined.\nI agree."
	if _, err := h.db.Cosign(t.Context(), note, h.other, attests); err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Witness(t.Context(), note, third, seen); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		child, err := h.db.Amend(t.Context(), store.Amendment{Parent: note, Relation: signature.Addendum, Reason: "forgot it", By: h.other})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			h.sign(t, child, h.other)
		}
	}
	s := h.sequencer(t)
	step(t, s)
	h.due(t)
	step(t, s)
	b, err := h.db.ExportNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	return h, note, other, b
}

// copied is a bundle as somebody reads it who was given the file.
func copied(t *testing.T, b signature.Bundle) signature.Bundle {
	t.Helper()
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := signature.ReadBundle(&file)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestTamperedNotesAreFound: of an exported note everything is checked away from here, and whatever somebody changes in the file is named.
func TestTamperedNotesAreFound(t *testing.T) {
	h, note, other, b := exported(t)
	keys, err := signature.ParseKeys(b.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	log, err := h.db.AuditRing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	trust := signature.Trust{Keys: []string{keys.Fingerprint()}, Log: log.Newest().Fingerprint()}
	report, err := copied(t, b).Verify(trust)
	if err != nil || len(report.Notes) != 2 || !report.Trusted || !report.Logged || !report.Whole || report.Checked[note] != 3 || len(report.Notes[0].Parts) != 2 ||
		report.Notes[0].Signatures[1].Meaning != signature.Cosign || report.Notes[1].Signatures[0].Relation != signature.Addendum || report.Notes[0].Became != signature.Addendum ||
		report.Notes[0].Signatures[1].Said != "Seen and examined.\nI agree." || report.Notes[0].Signatures[2].Said != "" || report.Notes[1].Signatures[0].Who.Family != "Test" || len(b.Texts) != 2 {
		t.Fatalf("report %+v, %v", report, err)
	}
	if r := report.Notes[0].History; r == nil || r.From != 1 || r.To != 3 || r.People != 2 || r.Entries < 3 || report.Notes[1].History.To == 0 { // it was begun, and signed by three
		t.Fatalf("its history: %+v", r)
	}
	history := func(change func(h *signature.History)) func(b *signature.Bundle) { // by somebody who makes all links anew
		return func(b *signature.Bundle) {
			h, err := signature.ParseHistory(b.Notes[0].History)
			if err != nil {
				t.Fatal(err)
			}
			change(&h)
			b.Notes[0].History = h.Text()
		}
	}
	theirs, err := h.db.ExportNote(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := signature.NewSigner("tidechart-notes-stranger", audit.NewSeed())
	if err != nil {
		t.Fatal(err)
	}
	forged := func(change func(*signature.Statement)) func(*signature.Bundle) { // by somebody with keys of their own
		return func(b *signature.Bundle) {
			s, _, err := signature.Open(keys, []byte(b.Notes[0].Signatures[0]))
			if err != nil {
				t.Fatal(err)
			}
			change(&s)
			signed, err := signature.Sign(stranger, s)
			if err != nil {
				t.Fatal(err)
			}
			b.Notes[0].Signatures[0] = string(signed)
		}
	}
	for name, tt := range map[string]struct {
		change func(b *signature.Bundle)
		kind   signature.FaultKind
	}{
		"a word":                    {func(b *signature.Bundle) { replace(t, &b.Notes[0].Content, "two words", "six words") }, signature.Altered},
		"a word of the addendum":    {func(b *signature.Bundle) { replace(t, &b.Notes[1].Content, "paragraph", "codeBlock") }, signature.Altered},
		"a space":                   {func(b *signature.Bundle) { b.Notes[0].Content += " " }, signature.Altered},
		"an author":                 {func(b *signature.Bundle) { replace(t, &b.Notes[0].Attribution, h.author.String(), uuid.NewString()) }, signature.Reattributed},
		"a reason":                  {func(b *signature.Bundle) { b.Notes[1].Reason = "never knew it" }, signature.Altered},
		"a reason taken away":       {func(b *signature.Bundle) { b.Notes[1].Reason = "" }, signature.Altered},
		"who signed":                {func(b *signature.Bundle) { replace(t, &b.Notes[0].Signatures[0], `name "Ada"`, `name "Eve"`) }, signature.Unsigned},
		"as what":                   {func(b *signature.Bundle) { replace(t, &b.Notes[0].Signatures[2], "meaning witness", "meaning cosign") }, signature.Unsigned},
		"when":                      {func(b *signature.Bundle) { replace(t, &b.Notes[0].Signatures[0], "time 20", "time 21") }, signature.Unsigned},
		"which version":             {func(b *signature.Bundle) { replace(t, &b.Notes[0].Signatures[0], "seq 3", "seq 4") }, signature.Unsigned},
		"who the patient is":        {func(b *signature.Bundle) { replace(t, &b.Texts[0], `family "Test"`, `family "Best"`) }, signature.Altered},
		"whose record it is in":     {func(b *signature.Bundle) { replace(t, &b.Notes[0].Signatures[0], "patient ", "patient 5b0c3c0e") }, signature.Unsigned},
		"what a cosigner says":      {func(b *signature.Bundle) { replace(t, &b.Texts[1], "I agree.", "I disagree.") }, signature.Altered},
		"that a cosigner says it":   {func(b *signature.Bundle) { b.Texts = b.Texts[:1] }, signature.Altered},
		"a text that nobody signed": {func(b *signature.Bundle) { b.Texts = append(b.Texts, "Paid in full.") }, signature.Altered},
		"one of the two signatures": {func(b *signature.Bundle) { b.Notes[0].Signatures[0] = lastLineOff(b.Notes[0].Signatures[0]) }, signature.Unsigned},
		"a signature moved here":    {func(b *signature.Bundle) { b.Notes[0].Signatures[0] = theirs.Notes[0].Signatures[0] }, signature.Misplaced},
		"a signature's order":       {func(b *signature.Bundle) { s := b.Notes[0].Signatures; s[1], s[2] = s[2], s[1] }, signature.Misplaced},
		"a signature taken away":    {func(b *signature.Bundle) { b.Notes[0].Signatures = b.Notes[0].Signatures[:2] }, signature.Unlogged},
		"the first taken away":      {func(b *signature.Bundle) { b.Notes[0].Signatures = b.Notes[0].Signatures[1:] }, signature.Misplaced},
		"a signature twice": {func(b *signature.Bundle) {
			b.Notes[0].Signatures = append(b.Notes[0].Signatures, b.Notes[0].Signatures[2])
		}, signature.Misplaced},
		"no signature":            {func(b *signature.Bundle) { b.Notes[0].Signatures = nil }, signature.Incomplete},
		"the note's id":           {func(b *signature.Bundle) { b.Notes[0].Note = uuid.New() }, signature.Misplaced},
		"another note beside it":  {func(b *signature.Bundle) { b.Notes = append(b.Notes, theirs.Notes[0]) }, signature.Unrelated},
		"the addendum without it": {func(b *signature.Bundle) { b.Notes = []signature.BundleNote{theirs.Notes[0], b.Notes[1]} }, signature.Unrelated},
		"a note twice":            {func(b *signature.Bundle) { b.Notes = append(b.Notes, b.Notes[0]) }, signature.Incomplete},
		"an addendum taken away":  {func(b *signature.Bundle) { b.Notes = b.Notes[:1] }, signature.Unlogged},
		"the keys":                {func(b *signature.Bundle) { b.Keys[0] = stranger.Keys().String() }, signature.Unknown},
		"no keys":                 {func(b *signature.Bundle) { b.Keys = nil }, signature.Incomplete},
		"keys of the log":         {func(b *signature.Bundle) { b.Keys[0] = log.Newest().String() }, signature.Incomplete},
		"signed by somebody else": {forged(func(*signature.Statement) {}), signature.Unsigned},
		"signed as another":       {forged(func(s *signature.Statement) { s.Signer = uuid.New() }), signature.Unsigned},
		"two names of one":        {func(b *signature.Bundle) { b.People = append(b.People, b.People[0]) }, signature.Incomplete},
		"a name that is no name":  {func(b *signature.Bundle) { b.People[0].Name = "Ada\x1b[2J" }, signature.Incomplete},
		"an entry of the log":     {func(b *signature.Bundle) { replace(t, &b.Log, "note.sign", "note.open") }, signature.Unlogged},
		"the log's checkpoint":    {func(b *signature.Bundle) { replace(t, &b.Log, `time 20`, `time 19`) }, signature.Unlogged},
		"the log cut off":         {func(b *signature.Bundle) { b.Log = b.Log[:len(b.Log)/2] }, signature.Unlogged},
		"no log":                  {func(b *signature.Bundle) { b.Log = "x" }, signature.Unlogged},
		"a row's cover":           {func(b *signature.Bundle) { changeCover(t, &b.Notes[0].History) }, signature.Rewritten},
		"a row's author": {func(b *signature.Bundle) {
			replace(t, &b.Notes[0].History, "by "+h.other.String(), "by "+h.author.String())
		}, signature.Rewritten},
		"the last row taken away": {func(b *signature.Bundle) { b.Notes[0].History = lastLineOff(b.Notes[0].History) }, signature.Rewritten},
		"the history taken away":  {func(b *signature.Bundle) { b.Notes[0].History = "" }, signature.Rewritten},
		"another note's history":  {func(b *signature.Bundle) { b.Notes[0].History = theirs.Notes[0].History }, signature.Rewritten},
		"a row written anew":      {history(func(h *signature.History) { h.Rows[1].Cover[0]++ }), signature.Rewritten},
		"a row left out":          {history(func(h *signature.History) { h.Rows = slices.Delete(h.Rows, 1, 2) }), signature.Rewritten},
		"a row more":              {history(func(h *signature.History) { h.Rows = append(h.Rows, h.Rows[2]) }), signature.Rewritten},
		"rows in another order":   {history(func(h *signature.History) { h.Rows[1], h.Rows[2] = h.Rows[2], h.Rows[1] }), signature.Rewritten},
		"whose a row is":          {history(func(h *signature.History) { h.Rows[2].Author = h.Rows[1].Author }), signature.Rewritten},
		"a row's session":         {history(func(h *signature.History) { h.Rows[2].Session[0]++ }), signature.Rewritten},
		"when a row came":         {history(func(h *signature.History) { h.Rows[2].At = h.Rows[2].At.Add(time.Hour) }), signature.Rewritten},
		"where it begins":         {history(func(h *signature.History) { h.From, h.Before, h.Rows = 2, signature.HashOf(nil), h.Rows[1:] }), signature.Rewritten},
		"the log taken away":      {func(b *signature.Bundle) { b.Log = "" }, signature.Unlogged},
	} {
		changed := copied(t, b)
		tt.change(&changed)
		_, err := copied(t, changed).Verify(trust)
		var fault *signature.Fault
		if !errors.As(err, &fault) || fault.Kind != tt.kind {
			t.Errorf("%s: %v, want %s", name, err, tt.kind)
		}
	}
	if _, err := copied(t, b).Verify(signature.Trust{Log: keys.Fingerprint()}); err == nil {
		t.Error("another log's keys pass")
	}
	late, err := h.db.Amend(t.Context(), store.Amendment{Parent: note, Relation: signature.Addendum, Reason: "and that", By: h.other})
	if err != nil {
		t.Fatal(err)
	}
	h.sign(t, late, h.other)
	unproven, err := h.db.ExportNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	var fault *signature.Fault
	if _, err := copied(t, unproven).Verify(trust); !errors.As(err, &fault) || fault.Kind != signature.Unlogged || fault.Note != late {
		t.Errorf("a signature that the log does not have yet: %v", err)
	}
	if r, err := copied(t, unproven).Verify(signature.Trust{Keys: trust.Keys}); err != nil || r.Whole {
		t.Errorf("without the log's keys: %v", err)
	}
	without := copied(t, b)
	without.Log = ""
	if r, err := without.Verify(signature.Trust{}); err != nil || r.Whole || r.Trusted || r.Logged {
		t.Errorf("without a log, on its own word: %+v, %v", r, err)
	}
	if _, err := h.db.ExportNote(t.Context(), h.newNote(t)); !errors.Is(err, store.ErrUnsigned) {
		t.Errorf("a draft is exported: %v", err)
	}
	step(t, h.sequencer(t))
	var on int
	entries, _ := h.entries(t)
	for _, e := range entries {
		if e.Act == audit.ExportNote && e.Note.UUID == note {
			on++
		}
	}
	if on != 2 {
		t.Errorf("%d exports are on record", on)
	}
}

func replace(t *testing.T, text *string, old, by string) {
	t.Helper()
	changed := strings.Replace(*text, old, by, 1)
	if changed == *text {
		t.Fatalf("no %q in %q", old, *text)
	}
	*text = changed
}

// changeCover changes the cover of a history's last row.
func changeCover(t *testing.T, history *string) {
	t.Helper()
	lines := strings.SplitAfter(strings.TrimSuffix(*history, "\n"), "\n")
	words := strings.Fields(lines[len(lines)-1])
	replace(t, history, words[1], strings.ToUpper(words[1]))
}

// TestPartsOfHistories: of a log that is longer than a bundle has room for, its end goes out, and is followed from there.
func TestPartsOfHistories(t *testing.T) {
	t.Parallel()
	h := open(t)
	note := h.newNote(t)
	ada := h.scribbler(note, h.author, 7)
	for range 8 {
		ada.types(t, "word")
	}
	signed := h.sign(t, note, h.author)
	s := h.sequencer(t)
	step(t, s)
	h.due(t)
	step(t, s)
	for rows, want := range map[int]uint64{100: 1, 9: 1, 5: 5, 1: 9, 0: 10} {
		history, places, err := h.db.HistoryOf(t.Context(), signed, rows, 2)
		if err != nil || history.From != want || len(history.Rows) != 10-int(want) || history.End() != signed.Chain || len(places) > 2 {
			t.Errorf("of %d rows: from %d, %d rows, %d entries, %v", rows, history.From, len(history.Rows), len(places), err)
		}
		if back, err := signature.ParseHistory(history.Text()); err != nil || back.End() != signed.Chain {
			t.Errorf("of %d rows: %v", rows, err)
		}
	}
	h.must(t, `ALTER TABLE note_update DISABLE TRIGGER USER`)
	h.must(t, `DELETE FROM note_update WHERE note_id = $1 AND seq = 9`, note)
	if _, err := h.db.ExportNote(t.Context(), note); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("a log that is not what was signed goes out: %v", err)
	}
}

func lastLineOff(signed string) string {
	lines := strings.SplitAfter(signed, "\n")
	return strings.Join(lines[:len(lines)-2], "")
}

// TestNoLateWordIsLost: what came after the signature is listed with its words, goes into an addendum of its author, or is set aside with
// a reason, and stays; all of it sealed and on record.
func TestNoLateWordIsLost(t *testing.T) {
	h := open(t)
	note := h.newNote(t)
	ada := h.scribbler(note, h.author, 7)
	ada.types(t, "signed")
	h.sign(t, note, h.other)
	keep := func(by uuid.UUID, u []byte, n uint64) bool {
		kept, err := h.db.KeepLate(t.Context(), note, lateEdit(n, by, u))
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	first, second := ada.update(t, "canary late"), ada.update(t, "and later")
	if !keep(h.author, first, 1) || keep(h.author, second, 1) || keep(h.author, second, 3) || !keep(h.author, second, 2) {
		t.Fatal("not kept in turn")
	}
	if draft := h.newNote(t); func() bool { kept, _ := h.db.KeepLate(t.Context(), draft, lateEdit(1, h.author, first)); return kept }() {
		t.Error("kept beside a draft")
	}
	late, err := h.db.LateOf(t.Context(), note)
	if err != nil || len(late) != 2 || late[0].Words != "canary late" || late[1].Words != "and later" || late[0].Author != h.author || time.Since(late[0].At) > time.Minute || late[0].Settled != nil {
		t.Fatalf("late: %+v, %v", late, err)
	}
	waiting, err := h.db.LateNotes(t.Context(), h.author)
	if err != nil || len(waiting) != 1 || waiting[0].NoteID != note || waiting[0].Edits != 2 {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	if err := h.db.SetLateAside(t.Context(), note, h.other, []uint64{1}, "not mine"); !errors.Is(err, store.ErrLate) {
		t.Errorf("set aside by somebody else: %v", err)
	}
	if _, err := h.db.AmendLate(t.Context(), store.Amendment{Parent: note, Reason: "late", By: h.other}, []uint64{1}); !errors.Is(err, store.ErrLate) {
		t.Errorf("amended by somebody else: %v", err)
	}
	child, err := h.db.AmendLate(t.Context(), store.Amendment{Parent: note, Reason: "typed when it was signed", By: h.author}, []uint64{1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.db.Render(t.Context(), child)
	if err != nil || !bytes.Contains(r.Content, []byte(`"canary late"`)) || bytes.Contains(r.Content, []byte("later")) || len(r.Runs) != 1 || r.Runs[0].Person != h.author {
		t.Errorf("the addendum is %s of %v, %v", r.Content, r.Runs, err)
	}
	if _, err := h.db.AmendLate(t.Context(), store.Amendment{Parent: note, Reason: "again", By: h.author}, []uint64{1, 2}); !errors.Is(err, store.ErrLate) {
		t.Errorf("amended twice: %v", err)
	}
	if err := h.db.SetLateAside(t.Context(), note, h.author, []uint64{2}, "canary reason"); err != nil {
		t.Fatal(err)
	}
	late, err = h.db.LateOf(t.Context(), note)
	if err != nil || late[0].Settled == nil || late[0].Settled.Amended != child || late[1].Settled == nil || late[1].Settled.Reason != "canary reason" || late[1].Words != "and later" {
		t.Errorf("settled: %+v, %v", late, err)
	}
	if waiting, err := h.db.LateNotes(t.Context(), uuid.Nil); err != nil || len(waiting) != 0 {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
	var clear int
	if err := h.connect(t).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM late_edit WHERE position('canary'::bytea IN data) > 0)
		+ (SELECT count(*) FROM late_edit_settled WHERE position('canary'::bytea IN reason) > 0) + (SELECT count(*) FROM late_edit)`).Scan(&clear); err != nil || clear != 2 {
		t.Errorf("%d of the two late edits and the reason lie in the clear, %v", clear-2, err)
	}
	for _, sql := range []string{`UPDATE late_edit SET n = 9`, `DELETE FROM late_edit`, `DELETE FROM late_edit_settled`, `TRUNCATE late_edit CASCADE`} {
		if err := h.exec(t, sql); err == nil {
			t.Errorf("%s succeeded", sql)
		}
	}
	step(t, h.sequencer(t))
	acts := map[audit.Act]int{}
	entries, _ := h.entries(t)
	for _, e := range entries {
		acts[e.Act]++
	}
	if acts[audit.KeepLate] != 1 || acts[audit.AmendNote] != 1 || acts[audit.SettleLate] != 1 { // one entry a minute
		t.Errorf("on record: %v", acts)
	}
	h.must(t, `ALTER TABLE late_edit DISABLE TRIGGER ALL`)
	h.must(t, `UPDATE late_edit SET author_id = $1`, h.other)
	if _, err := h.db.LateOf(t.Context(), note); err == nil {
		t.Error("late edits of somebody else pass for theirs")
	}
}

// TestKeysThatSignNotesChange: what other keys sign is good beside what those of before signed, for whoever was told of both; and a server that
// runs meanwhile signs by the new ones, and nobody by the old.
func TestKeysThatSignNotesChange(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.must(t, `UPDATE person SET role = 'resident', supervisor_id = $1 WHERE id = $2`, h.other, h.author)
	h.must(t, `UPDATE person SET role = 'attending' WHERE id = $1`, h.other)
	if all, err := h.db.NoteKeys(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("before the first signature: %d keys, %v", len(all), err)
	}
	note := h.newNote(t)
	h.sign(t, note, h.author)
	elsewhere, err := store.Open(t.Context(), h.url, h.vault) // as the command does
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	made, err := elsewhere.RotateNoteSigner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.Cosign(t.Context(), note, h.other, h.seen(t, note)); err != nil {
		t.Fatal(err)
	}
	all, err := h.db.NoteKeys(t.Context())
	if err != nil || len(all) != 2 || all[1].String() != made.String() || all[0].Name() == made.Name() {
		t.Fatalf("keys %v, %v; want two, and %s at last", all, err, made.Fingerprint())
	}

	b, err := h.db.ExportNote(t.Context(), note)
	if err != nil {
		t.Fatal(err)
	}
	trust := signature.Trust{Keys: []string{all[0].Fingerprint(), made.Fingerprint()}}
	r, err := copied(t, b).Verify(trust)
	if err != nil || !r.Trusted || len(r.Notes) != 1 || len(r.Notes[0].Signatures) != 2 {
		t.Fatalf("signed by both: %+v, %v", r, err)
	}
	for i, s := range r.Notes[0].Signatures {
		if s.Keys != all[i].Fingerprint() {
			t.Errorf("signature %d is by %s, want %s", i, s.Keys, all[i].Fingerprint())
		}
		alone := copied(t, b)
		alone.Keys = []string{all[i].String()}
		if _, err := alone.Verify(trust); err == nil {
			t.Errorf("good by keys %d alone", i)
		}
	}
	if _, err := open(t).db.RotateNoteSigner(t.Context()); err != nil { // where nobody has signed yet
		t.Error(err)
	}
	recorded := one[string](t, h, `SELECT string_agg(code, ' ' ORDER BY n) FROM audit_event WHERE act = $1`, string(audit.MakeNoteKey))
	if want := "keys=" + all[0].Fingerprint() + " keys=" + made.Fingerprint(); recorded != want {
		t.Errorf("on record %q, want %q", recorded, want)
	}
}
