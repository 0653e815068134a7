package signature

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/audit"
)

var (
	noteID    = uuid.MustParse("5b0c3c0e-0001-4000-8000-000000000001")
	parentID  = uuid.MustParse("5b0c3c0e-0002-4000-8000-000000000002")
	adaID     = uuid.MustParse("5b0c3c0e-0003-4000-8000-000000000003")
	patientID = uuid.MustParse("5b0c3c0e-0005-4000-8000-000000000005")
	someone   = Identity{Family: "Rivera", Given: "Ana María", Title: "Mrs", Born: "1945-07-14", Gender: "female", MRN: "129 728"}

	bobID = uuid.MustParse("5b0c3c0e-0004-4000-8000-000000000004")
)

func hashed(s string) Hash { return HashOf([]byte(s)) }

func sample() Statement {
	return Statement{
		Number: 1, Note: noteID, Kind: "progress", Parent: parentID, Relation: LateEntry, Reason: hashed("why"), Seq: 42, Chain: hashed("chain"), Schema: "0123456789abcdef",
		Hashes: Hashes{hashed("content"), hashed("attribution")}, Signer: adaID, Name: `Ada "Lovelace" Ørsted`, Role: "charge nurse", Meaning: Author,
		Patient: patientID, Identity: HashOf([]byte(someone.Text())), Remark: hashed("seen and agreed"),
		At: time.Date(2026, 11, 23, 5, 6, 7, 89000, time.UTC), Nonce: hashed("nonce"),
	}
}

func signerOf(t testing.TB, seed byte) *audit.Signer {
	t.Helper()
	s, err := NewSigner("tidechart-notes-test", []byte(strings.Repeat(string(rune('a'+seed)), audit.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStatementIsReadAsItIsWritten(t *testing.T) {
	for name, change := range map[string]func(*Statement){
		"as it is":       func(*Statement) {},
		"stands alone":   func(s *Statement) { s.Relation, s.Parent, s.Reason = "", uuid.Nil, Hash{} },
		"the second":     func(s *Statement) { s.Number, s.Previous, s.Meaning = 2, hashed("before"), Cosign },
		"of version 1":   func(s *Statement) { s.Patient, s.Identity, s.Remark = uuid.Nil, Hash{}, Hash{} },
		"nothing said":   func(s *Statement) { s.Remark = Hash{} },
		"a plain name":   func(s *Statement) { s.Name = "Ada" },
		"a hard name":    func(s *Statement) { s.Name = "O'Neill\\n – 張" },
		"time in a zone": func(s *Statement) { s.At = s.At.In(time.FixedZone("", 3600)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := sample()
			change(&s)
			text, err := s.Text()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseStatement(text)
			s.At = s.At.UTC()
			if err != nil || got != s {
				t.Errorf("%q is read as %+v, %v", text, got, err)
			}
		})
	}
}

// TestStatementsThatCannotBe are neither written nor read.
func TestStatementsThatCannotBe(t *testing.T) {
	for name, change := range map[string]func(*Statement){
		"number":           func(s *Statement) { s.Number = 0 },
		"too many":         func(s *Statement) { s.Number, s.Previous = maxSignatures+1, hashed("before") },
		"note":             func(s *Statement) { s.Note = uuid.Nil },
		"no patient":       func(s *Statement) { s.Patient = uuid.Nil },
		"no identity":      func(s *Statement) { s.Identity = Hash{} },
		"said, of nobody":  func(s *Statement) { s.Patient, s.Identity = uuid.Nil, Hash{} },
		"kind":             func(s *Statement) { s.Kind = "progress\nnote" },
		"about itself":     func(s *Statement) { s.Parent = s.Note },
		"unknown relation": func(s *Statement) { s.Relation = "sequel" },
		"no parent":        func(s *Statement) { s.Parent = uuid.Nil },
		"no reason":        func(s *Statement) { s.Reason = Hash{} },
		"seq":              func(s *Statement) { s.Seq = 0 },
		"schema":           func(s *Statement) { s.Schema = "" },
		"signer":           func(s *Statement) { s.Signer = uuid.Nil },
		"no name":          func(s *Statement) { s.Name = "" },
		"a line in a name": func(s *Statement) { s.Name = "Ada\nmeaning cosign" },
		"a name turned":    func(s *Statement) { s.Name = "Ada\u202e" },
		"a name too long":  func(s *Statement) { s.Name = strings.Repeat("a", maxName+1) },
		"no UTF-8":         func(s *Statement) { s.Name = "A\xff" },
		"role":             func(s *Statement) { s.Role = "nurse\n" },
		"meaning":          func(s *Statement) { s.Meaning = "approve" },
		"time":             func(s *Statement) { s.At = time.Time{} },
		"finer time":       func(s *Statement) { s.At = s.At.Add(time.Nanosecond) },
		"none before":      func(s *Statement) { s.Number = 2 },
		"first, with one":  func(s *Statement) { s.Previous = hashed("before") },
		"nonce":            func(s *Statement) { s.Nonce = Hash{} },
	} {
		s := sample()
		change(&s)
		if text, err := s.Text(); !errors.Is(err, ErrStatement) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	good, err := sample().Text()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":           "",
		"a line more":       good + "\n",
		"a fact more":       good + "weather fine\n",
		"a line less":       strings.TrimSuffix(good, "nonce "+sample().Nonce.String()+"\n"),
		"no end":            strings.TrimSuffix(good, "\n"),
		"other ends":        strings.ReplaceAll(good, "\n", "\r\n"),
		"another version":   strings.Replace(good, "/v2", "/v3", 1),
		"an older version":  strings.Replace(good, "/v2", "/v1", 1),
		"no patient":        strings.Replace(good, "patient "+patientID.String()+"\n", "", 1),
		"a capital hash":    strings.Replace(good, "chain "+sample().Chain.String(), "chain "+strings.ToUpper(sample().Chain.String()), 1),
		"an id in braces":   strings.Replace(good, noteID.String(), "{"+noteID.String()+"}", 1),
		"a capital id":      strings.Replace(good, noteID.String(), strings.ToUpper(noteID.String()), 1),
		"a leading zero":    strings.Replace(good, "seq 42", "seq 042", 1),
		"a plus":            strings.Replace(good, "seq 42", "seq +42", 1),
		"a name unescaped":  strings.Replace(good, `\u00d8`, "Ø", 1),
		"a name otherwise":  strings.Replace(good, `Ada \"`, `\u0041da \"`, 1),
		"another zone":      strings.Replace(good, "Z\nprevious", "+00:00\nprevious", 1),
		"facts in exchange": strings.Replace(strings.Replace(good, "content ", "x ", 1), "attribution ", "content ", 1),
	} {
		if text == good {
			t.Fatalf("%s changes nothing", name)
		}
		if s, err := ParseStatement(text); !errors.Is(err, ErrStatement) {
			t.Errorf("%s: read as %+v, %v", name, s, err)
		}
	}
}

// TestSignaturesAreNotTransplanted: a signature is of one note, version, signer, meaning and time, and of each other fact; by both keys
// of one signer, for nothing else.
func TestSignaturesAreNotTransplanted(t *testing.T) {
	signer, stranger := signerOf(t, 0), signerOf(t, 1)
	signed, err := Sign(signer, sample())
	if err != nil {
		t.Fatal(err)
	}
	got, text, err := Open(signer.Keys(), signed)
	if want, _ := sample().Text(); err != nil || got != sample() || text != want {
		t.Fatalf("Open = %+v, %v", got, err)
	}
	_, signatures, _ := strings.Cut(string(signed), "\n\n")
	for name, change := range map[string]func(*Statement){
		"note": func(s *Statement) { s.Note = bobID }, "version": func(s *Statement) { s.Seq++ }, "chain": func(s *Statement) { s.Chain[0] ^= 1 },
		"content": func(s *Statement) { s.Content[0] ^= 1 }, "attribution": func(s *Statement) { s.Attribution[31] ^= 1 },
		"signer": func(s *Statement) { s.Signer = bobID }, "name": func(s *Statement) { s.Name = "Bob" }, "role": func(s *Statement) { s.Role = "attending" },
		"meaning": func(s *Statement) { s.Meaning = Witness }, "time": func(s *Statement) { s.At = s.At.Add(time.Microsecond) },
		"patient": func(s *Statement) { s.Patient = bobID }, "identity": func(s *Statement) { s.Identity[0] ^= 1 }, "remark": func(s *Statement) { s.Remark[0] ^= 1 },
		"version of the form": func(s *Statement) { s.Patient, s.Identity, s.Remark = uuid.Nil, Hash{}, Hash{} },
		"relation":            func(s *Statement) { s.Relation = Retraction }, "parent": func(s *Statement) { s.Parent = bobID }, "reason": func(s *Statement) { s.Reason[0] ^= 1 }, "kind": func(s *Statement) { s.Kind = "handoff" },
		"place": func(s *Statement) { s.Number, s.Previous = 2, hashed("before") }, "nonce": func(s *Statement) { s.Nonce[0] ^= 1 },
	} {
		moved := sample()
		change(&moved)
		text, err := moved.Text()
		if err != nil {
			t.Fatal(name, err)
		}
		if _, _, err := Open(signer.Keys(), []byte(text+"\n"+signatures)); !errors.Is(err, audit.ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	if _, _, err := Open(stranger.Keys(), signed); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("by somebody else's keys: %v", err)
	}
	lines := strings.SplitAfter(string(signed), "\n")
	for i, missing := range map[int]string{len(lines) - 3: "Ed25519", len(lines) - 2: "ML-DSA-65"} {
		less := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "")
		if _, _, err := Open(signer.Keys(), []byte(less)); !errors.Is(err, audit.ErrSignature) || !strings.Contains(err.Error(), missing+" signature is missing") {
			t.Errorf("without the signature of %s: %v", missing, err)
		}
	}
	if _, err := audit.ParseKeys(signer.Keys().String()); err == nil {
		t.Error("keys of notes are taken for keys of a log")
	}
	log, err := audit.NewSigner("tidechart-notes-test", []byte(strings.Repeat("a", audit.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseKeys(log.Keys().String()); err == nil {
		t.Error("keys of a log are taken for keys of notes")
	}
	if text, err := sample().Text(); err != nil {
		t.Fatal(err)
	} else if asLog, err := log.SignText(text); err != nil {
		t.Fatal(err)
	} else if _, _, err := Open(signer.Keys(), asLog); !errors.Is(err, audit.ErrSignature) {
		t.Errorf("signed by the same seed for another use: %v", err) // the Ed25519 key is the same, and not enough
	}
}

// TestIdentity: who somebody is has one text, whatever they are called, and nothing else is read as one.
func TestIdentity(t *testing.T) {
	for _, who := range []Identity{someone, {Family: "O'Neill \"x\"\n張", Born: "2026-02-28"}, {Family: strings.Repeat("é", 300), Given: "\u202eevil", Born: "1900-01-01"}} {
		text := who.Text()
		got, err := ParseIdentity(text)
		if err != nil || got.Text() != text || strings.ContainsAny(got.String(), "\n\u202e") {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
		for name, other := range map[string]string{
			"a line more": text + "\n", "a line less": strings.Replace(text, "title \"\"\n", "", 1), "another version": strings.Replace(text, "/v1", "/v2", 1),
			"no day": strings.Replace(text, "born \"", "born \"x", 1), "nothing": "", "a capital": strings.Replace(text, "family", "Family", 1),
		} {
			if got, err := ParseIdentity(other); err == nil && other != text {
				t.Errorf("%s: read as %+v", name, got)
			}
		}
	}
	for words, want := range map[string]bool{
		"Seen and examined.\nI agree: 5 mg.": true, "": false, " x": false, "a\tb": false, "a\u202eb": false, "a\xff": false, strings.Repeat("a", MaxRemark): true,
		strings.Repeat("a", MaxRemark+1): false, strings.Repeat("ü", MaxRemark): true, strings.Repeat("ü", MaxRemark+1): false,
	} {
		if IsRemark(words) != want {
			t.Errorf("%.20q: %v", words, !want)
		}
	}
}

// FuzzName: whatever somebody is called is made printable.
func FuzzName(f *testing.F) {
	for _, name := range []string{"Ada", " Dr\tMei\u202e Chen\n", "x\xff\x00y", strings.Repeat("é ", maxName)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s := sample()
		if s.Name = PrintedName(name); s.Name == "" {
			return // as who is called nothing
		}
		text, err := s.Text()
		if err != nil {
			t.Fatalf("%q: %v", s.Name, err)
		}
		if got, err := ParseStatement(text); err != nil || got.Name != s.Name {
			t.Fatalf("%q is read as %q, %v", s.Name, got.Name, err)
		}
	})
}

// FuzzStatement: whatever is read is written as it was.
func FuzzStatement(f *testing.F) {
	text, err := sample().Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(strings.Replace(text, "number 1", "number 2", 1))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStatement(text)
		if err != nil {
			return
		}
		if again, err := s.Text(); err != nil || again != text {
			t.Fatalf("%q is written as %q, %v", text, again, err)
		}
	})
}
