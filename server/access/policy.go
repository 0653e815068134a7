package access

import "slices"

// Kinds of note, as package notekind has them, by whose they are.
var (
	physicians = []string{"progress", "history-physical", "discharge", "consult"}
	nurses     = []string{"handoff"}
	pharmacy   = []string{"medications"}

	shared = slices.Concat(physicians, nurses) // which the whole team writes together
	every  = slices.Concat(shared, pharmacy)
)

// Ties that make a patient somebody's to care for.
const (
	care   = Unit | Team | Glass
	anyone = 1 << 7 // no tie is needed
)

// row is a line of the policy: each of who may do each of may, to notes of these kinds, if one of needs holds, and all
// of besides.
type row struct {
	who     []Role
	may     []Act
	kinds   []string // of acts done to notes
	needs   Ties
	besides Ties
}

var (
	medical     = []Role{Attending, Resident}
	nursing     = []Role{Nurse, ChargeNurse}
	clinical    = slices.Concat(medical, nursing)
	juniors     = slices.Concat([]Role{Resident}, nursing) // for whom nobody signs first
	bedside     = slices.Concat(clinical, []Role{Pharmacist})
	onRounds    = slices.Concat(bedside, []Role{Student})
	supervising = slices.Concat(medical, []Role{Nurse, Pharmacist})
	reviewing   = []Role{PrivacyOfficer}
)

// policy is all that is allowed; what it does not say is denied. Nobody both administers and reads content.
//
// A tie to a patient lets the team read everything about them, and write together what it shares. Who began a note may
// finish it after the patient, or they themselves, have moved on. A restricted record is for the care team: working on
// the unit shows that the patient is there, and no more.
var policy = []row{
	// Whoever may read a note may print it: paper goes where people care. What other programs read goes further; it is for who answers for
	// the patient, and for who hands records out, and not for who came in an emergency.
	{medical, []Act{ExportNote}, every, Unit | Team | Author, 0},
	{reviewing, []Act{ExportNote}, every, anyone, 0},

	{[]Role{Attending}, []Act{ReadNote, PrintNote}, every, care | Author | Answers, 0},
	{juniors, []Act{ReadNote, PrintNote}, every, care | Author, 0},
	{clinical, []Act{WriteNote, AmendNote}, shared, care | Author, 0},
	{clinical, []Act{CreateNote}, shared, care, 0},
	{medical, []Act{SignNote}, shared, care | Author, 0},
	{nursing, []Act{SignNote}, nurses, care | Author, 0},
	// What a resident signs, an attending signs as well: who has the patient, or whom the resident works under.
	{[]Role{Attending}, []Act{CosignNote}, shared, care | Answers, 0},
	{bedside, []Act{WitnessNote}, every, care, 0},
	{clinical, []Act{ReceiveNote}, nurses, care, 0},

	{[]Role{Pharmacist}, []Act{ReadNote, PrintNote}, every, care | Author, 0},
	{[]Role{Pharmacist}, []Act{WriteNote, SignNote, AmendNote}, pharmacy, care | Author, 0},
	{[]Role{Pharmacist}, []Act{CreateNote}, pharmacy, care, 0},

	// A student's notes are drafts until a supervisor signs them; in those of others they write nothing.
	{[]Role{Student}, []Act{ReadNote, PrintNote}, every, Unit | Team | Supervised | Author, 0},
	{[]Role{Student}, []Act{CreateNote, AmendNote}, shared, Supervised, 0},
	{[]Role{Student}, []Act{WriteNote}, shared, Supervised, Author},

	// A scribe's hands are their supervisor's, for what physicians write.
	{[]Role{Scribe}, []Act{ReadNote, PrintNote}, every, Supervised, 0},
	{[]Role{Scribe}, []Act{WriteNote, CreateNote, AmendNote}, physicians, Supervised, 0},

	// A program brings notes to the units it serves, and goes on writing those.
	{[]Role{ServiceAccount}, []Act{ReadNote}, every, Unit | Team, 0},
	{[]Role{ServiceAccount}, []Act{CreateNote}, every, Unit | Team, 0},
	{[]Role{ServiceAccount}, []Act{WriteNote}, every, Unit | Team, Author},

	{onRounds, []Act{SeePatient}, nil, care | Supervised | Author, 0},
	{[]Role{Scribe}, []Act{SeePatient}, nil, Supervised, 0},
	{[]Role{ServiceAccount}, []Act{SeePatient}, nil, Unit | Team, 0},
	{onRounds, []Act{SeeBoard}, nil, Unit, 0},
	// A display shows what may be seen by whoever walks by; it does nothing else.
	{slices.Concat(onRounds, []Role{Display}), []Act{SeeWall}, nil, Unit, 0},
	// Who cares for a patient says what the bed does, of restricted ones as well: everybody who enters the room has to know.
	{clinical, []Act{ChangeBedside}, nil, care, 0},
	{[]Role{Attending, ChargeNurse}, []Act{Nudge}, nil, Unit, 0},
	{bedside, []Act{BreakGlass}, nil, anyone, 0},
	// What a unit writes often, those answer for who answer for what is written there.
	{slices.Concat(onRounds, []Role{Scribe}), []Act{UsePhrases}, nil, Unit, 0},
	{slices.Concat(medical, []Role{ChargeNurse}), []Act{SetPhrases}, nil, Unit, 0},

	// Who answers for somebody sees that they broke the glass. Whether it was right, those say who may know the patient.
	{[]Role{ChargeNurse}, []Act{SeeReviews}, nil, Unit | Answers, 0},
	{[]Role{ChargeNurse}, []Act{CloseReview}, nil, Unit, 0},
	{supervising, []Act{SeeReviews}, nil, Answers, 0},

	{reviewing, []Act{ReadNote, PrintNote}, every, anyone, 0},
	{reviewing, []Act{SeePatient, SeeBoard, ReviewSessions, SeeReviews, CloseReview, SeeAccesses, Export}, nil, anyone, 0},
	// What is destroyed, two people of two offices decide; what must not be, one of them.
	{reviewing, []Act{Hold, AskDestroy}, nil, anyone, 0},
	{[]Role{Administrator}, []Act{ApproveDestroy}, nil, anyone, 0},
	{[]Role{Administrator}, []Act{ReviewSessions, SeePeople, Administer}, nil, anyone, 0},
	{slices.Concat(reviewing, []Role{Administrator}), []Act{SeeSystem}, nil, anyone, 0},
	{[]Role{ServiceAccount}, []Act{FollowAccesses}, nil, anyone, 0},
}

// scoped says for which scopes of a token a program does an act, which the policy has to allow as well. What is changed
// can be read.
var scoped = [acts]Scopes{
	SeePatient: ReadNotes | WriteNotes, ReadNote: ReadNotes | WriteNotes, WriteNote: WriteNotes, CreateNote: WriteNotes,
	FollowAccesses: ReadAccesses,
}

// ofNotes are the acts for which the kind of a note counts, and whether its patient's record is restricted.
var ofNotes = [acts]bool{
	ReadNote: true, WriteNote: true, CreateNote: true, SignNote: true, CosignNote: true, WitnessNote: true, AmendNote: true,
	PrintNote: true, ExportNote: true, ReceiveNote: true,
}

// aboutOthers are the acts that nobody does to what is about themselves.
var aboutOthers = [acts]bool{
	ReadNote: true, WriteNote: true, CreateNote: true, SignNote: true, CosignNote: true, WitnessNote: true, AmendNote: true,
	PrintNote: true, ExportNote: true, BreakGlass: true, CloseReview: true, SeeAccesses: true, Export: true, Administer: true, Hold: true, AskDestroy: true, ApproveDestroy: true, ChangeBedside: true, ReceiveNote: true,
}

// grave are the acts for which a sign-in has to be fresh.
var grave = [acts]bool{
	SignNote: true, CosignNote: true, WitnessNote: true, ReceiveNote: true, ExportNote: true, BreakGlass: true, Export: true, Administer: true, Hold: true, AskDestroy: true, ApproveDestroy: true,
}

// oversight are the acts by which somebody administers, or reviews what others did. To be told of it is none.
var oversight = []Act{ReviewSessions, CloseReview, SeeAccesses, Export, SeePeople, Administer, Hold, AskDestroy, ApproveDestroy, SeeSystem}

// tooWeak are the ties that do not open a restricted record.
const tooWeak = Unit | Supervised | Answers

// rule is a row, for one role and one act.
type rule struct {
	needs, besides Ties
	kinds          []string
}

// compiled is the policy by role and act. Column 0 is everybody whom it does not know.
var compiled = compile(policy)

// compile panics if two rows speak of one role and one act: which of them counts would not be plain.
func compile(policy []row) (table [][acts]rule) {
	table = make([][acts]rule, len(roles)+1)
	for _, line := range policy {
		for _, who := range line.who {
			for _, act := range line.may {
				cell := &table[columnOf(who)][act]
				if cell.needs != 0 {
					panic("two rules for " + string(who) + ": " + act.String())
				}
				*cell = rule{line.needs, line.besides, line.kinds}
			}
		}
	}
	return table
}

func columnOf(role Role) int { return slices.Index(roles, role) + 1 }

// refuses says what is missing for r to allow an act, or [Allowed].
func (r *rule) refuses(act Act, note Note) Reason {
	ties := note.Ties | anyone
	switch {
	case ofNotes[act] && !slices.Contains(r.kinds, note.Kind):
		return NotYourKind
	case !r.holds(ties):
		return NoRelation
	case ofNotes[act] && note.VIP && !r.holds(ties&^tooWeak):
		return Restricted
	default:
		return Allowed
	}
}

func (r *rule) holds(ties Ties) bool { return r.needs&ties != 0 && r.besides&^ties == 0 }
