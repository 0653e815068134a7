// Package audit is the log of who did what (I8): what an entry holds, the Merkle tree over all of them, and how somebody who
// trusts neither the server nor its database finds out whether any was changed, taken away, moved or brought in.
//
// An act becomes a row within its own transaction (server/store); a sequencer gives committed rows their places, without a
// gap, and adds them to the tree.
//
//	entry       who, what, on what, when, how it ended: ids and words of the program, never what a patient's record says
//	details     from where, and what somebody looked for: sealed; the entry has a commitment to them
//	leaf        the entry as one line of JSON; the tree is that of RFC 6962 (golang.org/x/mod/sumdb/tlog)
//	checkpoint  size and root of the tree, and when: a note signed by Ed25519 and by ML-DSA-65, of which neither is enough
//	bundle      entries and checkpoints in one file: all that is needed to check them, away from here
//
// The package does no I/O but through readers and writers that it is given. It knows no database and no key file.
package audit

import (
	"context"

	"github.com/google/uuid"
)

// Act names what was done, as entries have it. An act never changes its name: old entries keep it.
type Act string

// The acts.
const (
	OpenNote    Act = "note.open" // by page, editor or API, as the code says
	CreateNote  Act = "note.create"
	EditNote    Act = "note.edit" // one entry for a burst, in the transaction of its first update
	JoinNote    Act = "note.join" // is there, and seen by others
	LeaveNote   Act = "note.leave"
	PrintNote   Act = "note.print"   // made ready for paper, or a PDF of it, with the number of the copy; of the note's own page by its script's word
	ExportNote  Act = "note.export"  // handed out as a file, with the number of the copy
	SettleLoss  Act = "note.losses"  // said what became of text of theirs that was lost
	ForgeUpdate Act = "note.forge"   // sent updates that no editor makes (I3): refused; one entry for a socket and minute
	RecoverNote Act = "note.recover" // let browsers bring back what a restore took
	AnchorNote  Act = "note.anchor"  // how far its log has come, by the server itself
	RestoreNote Act = "note.restore" // an older state of it was put back on purpose
	CommentNote Act = "note.comment" // in a thread, which about names; or did something with that, as the code says
	PlaceThread Act = "note.thread"  // said where the text stands now that a thread, which about names, is about
	NameVersion Act = "note.version" // a version of it got a name, or another, or none; the code says which
	BringBack   Act = "note.back"    // what it said once was made an edit of it; the code says as of which
	FaultyNote  Act = "note.fault"   // found not to be the one that is on record, when somebody opened it

	ReviewNote   Act = "note.review" // or back to a draft, as the code says
	FreezeNote   Act = "note.freeze" // so that nobody writes while they sign
	LetGoNote    Act = "note.let-go" // without having signed
	SignNote     Act = "note.sign"   // as its author; failed: it was another by then, or something was missing
	CosignNote   Act = "note.cosign"
	WitnessNote  Act = "note.witness"
	ReceiveNote  Act = "note.receive"  // took over what it hands over, and has read it back
	DoTask       Act = "note.task"     // of a signed note: done since, or not after all, as the code says
	AmendNote    Act = "note.amend"    // began a note about it, which about names
	KeepLate     Act = "note.late"     // edits that came after the signature are kept beside the note
	SettleLate   Act = "note.settled"  // what became of some
	Nudge        Act = "note.nudge"    // asked whom it is about to sign it
	SeeNudge     Act = "note.nudged"   // saw that they were asked
	ChangePhrase Act = "phrase.change" // somebody's own or a unit's: added, changed or removed, as the code says

	MakeNoteKey Act = "note.signer" // by which this installation signs notes

	SeeAccesses    Act = "record.accesses" // who has opened a record
	ExportAccesses Act = "record.export"
	BreakGlass     Act = "glass.break"
	ReviewGlass    Act = "glass.review"

	SetHold        Act = "hold.set" // about whoever decided it, if the operator did it for them
	LiftHold       Act = "hold.lift"
	AskDestroy     Act = "destroy.ask"
	ApproveDestroy Act = "destroy.approve"
	EndDestroy     Act = "destroy.end" // withdrawn or refused
	SeeDecisions   Act = "destroy.list"
	SeeHolds       Act = "hold.list"
	Destroy        Act = "destroy.do" // the code says who decided it

	SetRetention Act = "retention.set" // for how long records of a class are kept, or of which a patient's is
	BeginPurge   Act = "retention.begin"
	Purge        Act = "retention.destroy" // of a note, or of who a patient is: its time was over
	EndPurge     Act = "retention.end"

	SearchPatients Act = "search.patients"
	SearchPeople   Act = "search.people"
	ListNotes      Act = "search.notes"
	FollowAccesses Act = "search.accesses"
	SearchLog      Act = "search.log"
	ExportLog      Act = "log.export"
	SearchPlaces   Act = "search.places" // people, units and, for who may, patients, from the overview
	SearchSessions Act = "search.sessions"
	SeeSession     Act = "session.see" // who sat at a note, and how much they wrote; About is the session
	ExportSessions Act = "session.export"

	Access Act = "access" // refused, before it became any of the others; the code says which

	SignIn  Act = "login.begin"
	Confirm Act = "login.confirm" // proved again who they are
	SignOut Act = "login.end"

	AddPerson    Act = "person.add"
	ChangePerson Act = "person.change"
	CoverUnit    Act = "person.cover"
	Invite       Act = "person.invite"
	StartOver    Act = "person.start-over"
	Enrol        Act = "person.enrol"
	ChangeSignIn Act = "person.sign-in" // password, passkeys, codes, linked accounts
	IssueToken   Act = "token.issue"
	RevokeToken  Act = "token.revoke"

	ChangeUnit    Act = "unit.change"
	ChangePatient Act = "patient.change"
	ChangeBedside Act = "patient.bedside" // what the bed says of them; the code says which of it
	AdoptKey      Act = "key.adopt"
	RotateKey     Act = "key.rotate"  // another key-encryption key is wrapped to
	RenewKeys     Act = "key.renew"   // what is new is sealed by new data keys
	RewrapKeys    Act = "key.rewrap"  // begun, and ended, of all data keys
	RetireKey     Act = "key.retire"  // a key-encryption key
	RecoverKeys   Act = "key.recover" // by shares of the recovery key
	MakeSigner    Act = "log.signer"  // of checkpoints; the first, or who signs instead from now on
	RestoreLog    Act = "log.restore" // an older state of the whole database was put back on purpose
	TakeInLog     Act = "log.cluster" // its acts came from another cluster, as after a restore
	FindActs      Act = "log.skipped" // had been kept from their places, and have them now
)

// Outcome says how an act ended.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused" // by package access, or by what was proved
	Failed  Outcome = "failed"  // a wrong password, a code that did not work
)

// Event is an act about to be recorded.
type Event struct {
	Act     Act
	Outcome Outcome   // zero: [Done]
	Who     uuid.UUID // zero: whose act the context says it is

	Patient, Note, About uuid.UUID // what it was done to, if anything; About is a person, a token, broken glass

	// Code says more in words of the program, such as "page" or "role=nurse": never what somebody typed, nor what a record
	// says. It has up to [MaxCode] bytes.
	Code string
	// Words are what somebody looked for. They are sealed.
	Words string
}

// Limits of what an event holds, in bytes (I10).
const (
	MaxCode  = 200
	MaxWords = 1000
)

// Origin says whose acts a context's are, and from where. They are sealed, but for who.
type Origin struct {
	Who     uuid.UUID // zero: the server, or its operator
	Role    string
	Login   string // names the login or token; opens nothing
	Network string
	TLS     string // group by which the keys of their connection were agreed on; "unknown": a proxy knows; "": there is no TLS
}

type originKey struct{}

// From returns a context in which acts are those of o.
func From(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns whose acts those in ctx are. Nobody else than the operator acts without having said so.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
