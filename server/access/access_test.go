package access

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clisonix/tidechart/internal/needs"
	"github.com/clisonix/tidechart/server/notekind"
)

var update = flag.Bool("update", false, "write the matrix anew")

const allTies = Unit | Team | Supervised | Author | Glass | Answers | Own

// marks say in one letter what was decided.
var marks = [reasons]string{
	Allowed: "Y", NotYourRole: ".", NotYourKind: "k", NoRelation: "-", Restricted: "r", OwnRecord: "o", AlreadySigned: "s", BeingSigned: "z", NotFresh: "f",
	OutOfScope: "t",
}

const allScopes = ReadNotes | WriteNotes | ReadAccesses

// relations are the columns of the matrix: what somebody may have to do with a note or patient, and how that may stand.
var relations = []struct {
	name string
	note Note
}{
	{"none", Note{}},
	{"unit", Note{Ties: Unit}},
	{"team", Note{Ties: Team}},
	{"superv.", Note{Ties: Supervised}},
	{"author", Note{Ties: Author}},
	{"glass", Note{Ties: Glass}},
	{"answers", Note{Ties: Answers}},
	{"own+team", Note{Ties: Own | Team}},
	{"superv.+author", Note{Ties: Supervised | Author}},
	{"unit+author", Note{Ties: Unit | Author}},
	{"vip:unit", Note{Ties: Unit, VIP: true}},
	{"vip:team", Note{Ties: Team, VIP: true}},
	{"vip:superv.", Note{Ties: Supervised, VIP: true}},
	{"vip:glass", Note{Ties: Glass, VIP: true}},
	{"signed:team", Note{Ties: Team, Signed: true}},
	{"frozen:team", Note{Ties: Team, Frozen: true}},
	{"signed:superv.+author", Note{Ties: Supervised | Author, Signed: true}},
}

// TestMatrix spells out what follows from the policy, for every role, act and relation, so that a change of policy is a
// change of a file that people read: testdata/matrix.txt.
func TestMatrix(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, "Y yes, f only after a fresh sign-in. No: . not this role, k not this kind, - no relation, r restricted, o own record, s signed, z being signed, t not what the token is for. A service account's token is for everything, until the last part.")
	for act := SeePatient; act < acts; act++ {
		kinds := [][]string{nil}
		if ofNotes[act] {
			kinds = [][]string{physicians, nurses, pharmacy}
		}
		for _, codes := range kinds {
			fmt.Fprintf(&b, "\n%-58s", strings.TrimSpace(act.String()+" "+strings.Join(codes, ", ")))
			for _, role := range roles {
				fmt.Fprintf(&b, "%-16s", role)
			}
			fmt.Fprintln(&b)
			for _, relation := range relations {
				fmt.Fprintf(&b, "  %-56s", relation.name)
				for _, role := range roles {
					fmt.Fprintf(&b, "%-16s", decided(t, Who{Role: role, Scopes: allScopes}, act, codes, relation.note))
				}
				fmt.Fprintln(&b)
			}
		}
	}
	printScopes(t, &b)
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	got, path := strings.Join(lines, "\n"), filepath.Join("testdata", "matrix.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the policy differs from %s; look at what -update changes there:\n%s", path, got)
	}
}

// printScopes adds what each scope of a token is good for, at a service account that works where the patient lies.
func printScopes(t *testing.T, b *strings.Builder) {
	fmt.Fprintf(b, "\n%-58s%-16s", "service account, on its unit, with a token for", "nothing")
	for _, name := range scopeNames {
		fmt.Fprintf(b, "%-16s", name)
	}
	fmt.Fprintf(b, "%-16s\n", "all, elsewhere")
	for act := SeePatient; act < acts; act++ {
		fmt.Fprintf(b, "  %-56s", act)
		var kinds []string
		if ofNotes[act] {
			kinds = every
		}
		note := Note{Ties: Unit | Author}
		for _, scopes := range []Scopes{0, ReadNotes, WriteNotes, ReadAccesses} {
			fmt.Fprintf(b, "%-16s", decided(t, Who{Role: ServiceAccount, Scopes: scopes}, act, kinds, note))
		}
		note.Elsewhere = true
		fmt.Fprintf(b, "%-16s\n", decided(t, Who{Role: ServiceAccount, Scopes: allScopes}, act, kinds, note))
	}
}

// decided returns the mark for a sign-in that is old and, if it differs, for one that is fresh. All kinds of a group are
// decided alike.
func decided(t *testing.T, who Who, act Act, kinds []string, note Note) string {
	t.Helper()
	mark := ""
	for i, kind := range append([]string{}, kinds...) {
		note.Kind = kind
		one := marks[Decide(who, act, note).Reason]
		if i > 0 && one != mark {
			t.Errorf("%s, %s: %s is decided as %s, others as %s", who.Role, act, kind, one, mark)
		}
		mark = one
	}
	if len(kinds) == 0 {
		mark = marks[Decide(who, act, note).Reason]
	}
	fresh := who
	fresh.Fresh = true
	after := Decide(fresh, act, note)
	if mark == marks[NotFresh] != (after.Allow && grave[act]) {
		t.Errorf("%s, %s, %+v: %s after an old sign-in, %s after a fresh one", who.Role, act, note, mark, after.Reason)
	}
	return mark
}

// TestUnknownIsDenied: roles, acts and kinds that nobody has thought of.
func TestUnknownIsDenied(t *testing.T) {
	for _, role := range []Role{"", "janitor", "Attending", "nurse ", "charge  nurse"} {
		for act := range 256 {
			if d := Decide(Who{role, true, allScopes}, Act(act), Note{Kind: "progress", Ties: ^Own}); d != (Decision{Reason: NotYourRole}) {
				t.Errorf("%q may %s: %+v", role, Act(act), d)
			}
		}
	}
	for _, role := range roles {
		for act := range 256 {
			for _, kind := range []string{"", "sonnet", "Progress", "progress "} {
				d := Decide(Who{role, true, allScopes}, Act(act), Note{Kind: kind, Ties: ^Own})
				if d.Allow && (Act(act) >= acts || act == 0 || ofNotes[act]) {
					t.Errorf("%s may %s of kind %q", role, Act(act), kind)
				}
			}
		}
	}
	if (Decision{}).Allow {
		t.Error("what was not decided is allowed")
	}
}

// content are the acts that show what is written about patients, or change it.
var content = []Act{SeePatient, ReadNote, WriteNote, CreateNote, SignNote, CosignNote, WitnessNote, ReceiveNote, AmendNote, BreakGlass, SeeBoard}

// TestProperties that hold whatever the policy says, of each of the decisions there are.
func TestProperties(t *testing.T) {
	for _, role := range roles {
		for act := SeePatient; act < acts; act++ {
			for _, kind := range every {
				for state := range 16 * int(allScopes+1) {
					who := Who{role, state&1 != 0, Scopes(state >> 4)}
					for ties := range allTies + 1 {
						note := Note{Kind: kind, VIP: state&2 != 0, Signed: state&4 != 0, Ties: ties}
						if role == ServiceAccount { // elsewhere is for programs alone
							note.Elsewhere = state&8 != 0
						} else {
							note.Frozen = state&8 != 0
						}
						if broken := breaks(who, act, note, Decide(who, act, note)); broken != "" {
							t.Fatalf("%+v, %s, %+v: %s", who, act, note, broken)
						}
					}
				}
			}
		}
	}
}

// breaks names the property that a decision does not have.
func breaks(who Who, act Act, note Note, d Decision) string {
	if d.Allow != (d.Reason == Allowed) {
		return "the reason is another"
	}
	if !d.Allow {
		return ""
	}
	switch {
	case who.Role == Administrator && slices.Contains(content, act):
		return "who administers sees content"
	case note.Ties&Own != 0 && aboutOthers[act]:
		return "somebody acts on their own record"
	case (act == WriteNote || act == SignNote) && note.Signed:
		return "a signed note is written, or signed by another author"
	case act == WriteNote && note.Frozen:
		return "a note is written while somebody signs it"
	case grave[act] && !who.Fresh:
		return "an old sign-in is enough"
	case who.Role != PrivacyOfficer && ofNotes[act] && note.Ties == 0:
		return "nothing links them"
	case note.VIP && who.Role != PrivacyOfficer && ofNotes[act] && note.Ties&(Team|Author|Glass) == 0:
		return "a restricted record is open to the unit"
	case slices.Contains([]Act{WriteNote, SignNote, CosignNote, WitnessNote, ReceiveNote}, act) && !Decide(who, ReadNote, note).Allow:
		return "somebody changes what they may not read"
	case who.Role != Administrator && (act == Administer || act == SeePeople):
		return "somebody administers whose office it is not"
	case who.Role == ServiceAccount && who.Scopes == 0:
		return "a program without a token does something"
	case who.Role == ServiceAccount && note.Elsewhere:
		return "a token is good for another unit"
	case who.Role == ServiceAccount && who.Scopes&WriteNotes == 0 && (act == WriteNote || act == CreateNote):
		return "a token that reads writes"
	case who.Role == ServiceAccount && who.Scopes == ReadAccesses && slices.Contains(content, act):
		return "a token that follows accesses reads content"
	case act == CloseReview && who.Role != PrivacyOfficer && note.Ties&Unit == 0:
		return "a review is closed by who may know nothing of the patient"
	case slices.Contains([]Role{Student, Scribe, ServiceAccount}, who.Role) && slices.Contains([]Act{SignNote, CosignNote, WitnessNote, ReceiveNote, BreakGlass}, act):
		return "somebody has authority who has none"
	}
	for tie := Ties(1); tie < Own; tie <<= 1 {
		more := note
		more.Ties |= tie
		if !Decide(who, act, more).Allow {
			return "less is allowed with " + more.Ties.String()
		}
	}
	note.VIP = false
	if !Decide(who, act, note).Allow {
		return "more is allowed with a restricted record"
	}
	for scope := ReadNotes; scope <= ReadAccesses; scope <<= 1 {
		more := who
		more.Scopes |= scope
		if !Decide(more, act, note).Allow {
			return "less is allowed with one more scope"
		}
	}
	if who.Fresh = true; !Decide(who, act, note).Allow {
		return "less is allowed after a fresh sign-in"
	}
	return ""
}

// TestEveryKindIsSomebodys: a kind of note that the policy forgot would be nobody's to write.
func TestEveryKindIsSomebodys(t *testing.T) {
	for _, kind := range notekind.Kinds {
		if !slices.ContainsFunc(roles, func(r Role) bool { return MayCreate(r, kind.Code) }) {
			t.Errorf("nobody may write a %q", kind.Code)
		}
	}
	for _, code := range every {
		if _, known := notekind.ByCode(code); !known {
			t.Errorf("the policy knows a kind of note that does not exist: %q", code)
		}
	}
}

// TestDecideAllocatesNothing, whatever it says.
func TestDecideAllocatesNothing(t *testing.T) {
	for _, role := range append(Roles(), "janitor") {
		for act := range acts {
			note := Note{Kind: "medications", Ties: Team, VIP: true}
			if n := testing.AllocsPerRun(10, func() { decision = Decide(Who{Role: role, Scopes: allScopes}, act, note) }); n != 0 {
				t.Errorf("%s, %s: %v allocations", role, act, n)
			}
		}
	}
}

var decision Decision

// TestDecisionsAreCheap: a microsecond at most for any role, act and relation, so that every keystroke could ask. The best of
// some rounds counts, for the machine may be busy.
func TestDecisionsAreCheap(t *testing.T) {
	limit := time.Microsecond
	if needs.Raced {
		limit *= 10
	}
	notes := make([]Note, 0, len(relations)*len(every))
	for _, relation := range relations {
		for _, kind := range every {
			relation.note.Kind = kind
			notes = append(notes, relation.note)
		}
	}
	for _, role := range append(Roles(), "janitor") {
		for act := range acts {
			best := time.Hour
			for range 20 {
				began := time.Now()
				for i := range notes {
					decision = Decide(Who{Role: role, Fresh: true, Scopes: allScopes}, act, notes[i])
				}
				best = min(best, time.Since(began)/time.Duration(len(notes)))
			}
			if best > limit {
				t.Errorf("%s, %s: %v for one decision", role, act, best)
			}
		}
	}
}

// BenchmarkDecide takes the slowest way through the table: the last role, the last kind, allowed.
func BenchmarkDecide(b *testing.B) {
	b.ReportAllocs()
	note := Note{Kind: "medications", Ties: Team, VIP: true}
	for b.Loop() {
		decision = Decide(Who{Role: PrivacyOfficer}, ReadNote, note)
	}
	if !decision.Allow {
		b.Fatal(decision)
	}
}

// TestScopes: what is stored by name is read as what it was, and nothing else is a scope.
func TestScopes(t *testing.T) {
	for s := range allScopes + 1 {
		if got, known := ScopesOf(s.Names()); got != s || !known {
			t.Errorf("%v is read as %v, %v", s.Names(), got.Names(), known)
		}
	}
	if got, known := ScopesOf([]string{"notes:read", "notes:*"}); got != ReadNotes || known {
		t.Errorf("an unknown scope: %v, %v", got.Names(), known)
	}
}
