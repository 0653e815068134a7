package web

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
)

// now is the time at which the sample pages are rendered.
var now = time.Date(2026, time.March, 9, 14, 2, 31, 0, time.FixedZone("EDT", -4*3600))

var (
	chen   = Person{ID: "p1", Username: "chen", Name: "Dr Mei Chen", Role: "attending", Initials: "MC", ColorIndex: 0}
	okafor = Person{ID: "p2", Username: "okafor", Name: "Dr Daniel Okafor", Role: "resident", Initials: "DO", ColorIndex: 1}
	rivera = Person{ID: "p3", Username: "rivera", Name: "Rosa Rivera RN", Role: "nurse", Initials: "RR", ColorIndex: 2}
	haddad = Person{ID: "p4", Username: "haddad", Name: "Lina Haddad RN", Role: "charge nurse", Initials: "LH", ColorIndex: 3}
	novak  = Person{ID: "p5", Username: "novak", Name: "Petra Novak", Role: "administrator", Initials: "PN", ColorIndex: 4}
)

// patients are invented. Their family names are looked for where they must
// not stand.
var patients = []Patient{
	{
		ID: "pt1", Family: "Whitcombe", Given: "Eleanor", Title: "Mrs", Born: date(1945, 7, 14), Gender: "Female", MRN: "400 217 63", Bed: "4A-01", Unit: "4 West",
		Allergies: Allergies{State: AllergiesKnown, Known: []string{"penicillin (anaphylaxis)", "latex"}},
	},
	{ID: "pt2", Family: "O’Sullivan-Ramaswamy", Given: "Bartholomew Krishnan", Title: "Mr", Born: date(1988, 12, 2), Gender: "Male", MRN: "400 391 05", Bed: "4A-02", Unit: "4 West", Allergies: Allergies{State: AllergiesNone}},
	{ID: "pt3", Family: "Nguyen", Given: "Thi", Born: date(2024, 11, 20), Gender: "Female", MRN: "400 552 88", Bed: "4A-03", Unit: "4 West"},
	{ID: "pt4", Family: "Adeyemi", Given: "Folasade", Title: "Ms", Gender: "", MRN: "400 610 11", Bed: "4A-05", Unit: "4 West", Allergies: Allergies{State: AllergiesUnavailable}},
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func shell(title string, user *Person, active Section) Shell {
	s := Shell{Title: title, User: user, Active: active, Now: now, Left: 15 * time.Minute, Warn: time.Minute}
	s.Connection = Connection{ConnectionPostQuantum, "X25519MLKEM768"}
	if user == nil { // all of them are looked at
		s.Connection = Connection{ConnectionUnknown, "unknown"}
	} else if user.ID == novak.ID {
		s.Connection = Connection{ConnectionClassical, "X25519"}
	}
	if user != nil {
		s.UnitID, s.UnitName = "4w", "4 West"
		s.CanReadNotes = user.ID != novak.ID
		s.CanSeeSessions = user.ID == novak.ID
		s.CanSeePeople = user.ID == novak.ID
	}
	return s
}

func text(s string, marks ...string) prose.Node {
	n := prose.Node{Type: "text", Text: s}
	for _, m := range marks {
		n.Marks = append(n.Marks, prose.Mark{Type: m})
	}
	return n
}

func node(kind string, content ...prose.Node) prose.Node {
	return prose.Node{Type: kind, Content: content}
}

func with(n prose.Node, name string, value any) prose.Node {
	n.Attrs = map[string]any{name: value}
	return n
}

func para(content ...prose.Node) prose.Node { return node("paragraph", content...) }

func title(level int, s string) prose.Node {
	return with(node("heading", text(s)), "level", level)
}

// soap is a progress note of the length that is usual.
var soap = node("doc",
	title(2, "Subjective"),
	para(text("Slept well, no chest pain overnight. Feels “less puffy”. Appetite returning; ate most of breakfast. Denies dyspnoea at rest, orthopnoea improved to one pillow.")),
	title(2, "Objective"),
	para(text("BP 118/72", "bold"), text(", HR 76 regular, RR 16, SpO₂ 96 % on room air, T 36.8 °C. Weight 71.4 kg ("), text("down 1.9 kg", "italic"), text(" since admission).")),
	node("bulletList",
		node("listItem", para(text("JVP 3 cm above the sternal angle, no S3"))),
		node("listItem", para(text("Crackles at both bases, fewer than yesterday"))),
		node("listItem", para(text("Trace ankle oedema"))),
	),
	title(2, "Assessment and plan"),
	para(text("80-year-old woman on day 3 of an admission for acute on chronic heart failure, responding to intravenous furosemide.")),
	node("orderedList",
		node("listItem", para(text("Heart failure: change furosemide to 40 mg by mouth daily; daily weights; repeat electrolytes tomorrow at 06:00"))),
		node("listItem", para(text("Atrial fibrillation: rate controlled, continue apixaban 5 mg twice daily"))),
		node("listItem", para(text("Penicillin allergy", "bold"), text(" confirmed with her daughter; band checked"))),
	),
	node("blockquote", para(text("Daughter would like to be called before discharge."))),
)

func noteSample(user Person, editable bool) NoteView {
	s := shell(TabTitle(context.Background(), "Progress note", patients[0]), &user, SectionWorklist)
	return NoteView{
		Shell: s, Patient: patients[0], ID: "7f9c24e8-3b1a-4a7e-9a55-0d9f3c1e2b6a", Kind: "Progress note", Title: "Progress note", LOINC: "11506-3",
		Status: StatusDraft, Body: soap, Live: true, Editable: editable,
		CreatedBy: okafor.Name, CreatedAt: now.Add(-6 * time.Hour), UpdatedAt: now.Add(-4 * time.Minute), Comments: commentsSample(editable),
	}
}

// commentsSample has threads of each kind.
func commentsSample(mayWrite bool) CommentsView {
	return CommentsView{Now: now, Threads: []ThreadView{
		{ID: "t1", Acts: 3, Quote: "continue apixaban 5 mg twice daily", Start: "1.1", End: "1.2", MayWrite: mayWrite, LastBy: rivera.Name, Comments: []CommentView{
			{N: 1, By: chen, At: now.Add(-time.Hour), Words: "Still so, with this creatinine?", Own: mayWrite, ChangedAt: now.Add(-time.Minute), Earlier: []string{"Still so?"}},
			{N: 2, By: rivera, At: now.Add(-time.Minute), Words: "Pharmacy says yes.\nI have noted it."},
		}},
		{ID: "t2", Acts: 2, MayWrite: mayWrite, LastBy: okafor.Name, Comments: []CommentView{{N: 1, By: okafor, At: now, Removed: true, ChangedAt: now}}},
		{
			ID: "t3", Acts: 2, Quote: "Slept well", MayWrite: mayWrite, Resolved: true, ResolvedBy: chen.Name, ResolvedAt: now, LastBy: chen.Name,
			Comments: []CommentView{{N: 1, By: rivera, At: now.AddDate(0, 0, -1), Words: "Until four."}},
		},
	}}
}

// signSample is a sheet with all that can be on one.
func signSample() SignView {
	return SignView{
		Shell: shell("Sign", &okafor, SectionWorklist), Patient: patients[0], ID: "n1", Title: "Progress note", Kind: "Progress note", Status: StatusReview,
		Meaning: MeaningAuthor, Printed: okafor.Name, Body: soap, Authorship: func(prose.Node) Authorship { return Authorship{Person: rivera} },
		Origins: []OriginWords{{"typed", 252}, {"carried", 51}}, Carried: []CarriedView{{Author: chen, At: now.AddDate(0, 0, -3), Words: 51, Age: 72 * time.Hour}},
		Contributors: []Contributor{{Person: okafor, Words: 212}, {Person: rivera, Words: 88}, {Words: 3}}, Seq: 41, Content: "c0", Attribution: "a0",
		Blanks:    []BlankView{{Section: "Objective", Before: "Weight ", Mark: "***", After: " kg", Nth: 3}},
		Losses:    []LossView{{Author: rivera.Name, By: chen.Name, At: now.Add(-time.Minute), Words: "two of ten"}},
		Cosigners: []CosignerView{{chen.Name, true}, {"Dr Ada Long", false}}, Threads: 2, Suggestions: 2, FirstSuggestion: 3,
		About:  &AboutView{ID: "n1", Parent: "n0", ParentTitle: "Progress note", Relation: "correction", Reason: "The weight was of another day."},
		Frozen: &FreezeView{By: chen.Name, Until: now.Add(time.Minute), Epoch: 3},
		Since: &Since{Seq: 41, Changed: true, More: 2, Lines: []ChangedLine{{[]ChangedPiece{
			{prose.Same, "Weight "}, {prose.Removed, "71.4"}, {prose.Added, "74.1"}, {prose.Same, " kg"},
		}}}},
		Error: "The note is not what you saw any more.",
	}
}

// everyBlock is a note with tables, one of which is wider than a page, tasks, mentions and suggestions.
func everyBlock() prose.Node {
	row := node("tableRow")
	for range 14 {
		row.Content = append(row.Content, node("tableCell", para(text("mmol/L"))))
	}
	doc := node("doc", soap.Content...)
	doc.Content = append(doc.Content[:len(doc.Content):len(doc.Content)], tablesNote.Content...)
	doc.Content = append(doc.Content, node("table", row))
	return doc
}

// signedSample is a signed note about which all was said that can be.
func signedSample() SignedView {
	by := SignatureView{Name: okafor.Name, Role: "resident", Meaning: MeaningAuthor, At: now.Add(-time.Hour), Fingerprint: "k1", Hash: "h1", Content: "c1"}
	cosigned := by
	cosigned.Name, cosigned.Role, cosigned.Meaning = chen.Name, "attending", MeaningCosign
	body := node("doc", para(text("74.1 kg")))
	about := func(id, relation string, status NoteStatus) AboutView {
		a := AboutView{ID: id, Title: "Correction: Progress note", Parent: "n1", Relation: relation, Reason: "Another day’s weight.", By: chen.Name, At: now, Status: status, Depth: 1}
		if status.signed() {
			a.Body, a.Signatures = &body, []SignatureView{cosigned}
		}
		return a
	}
	return SignedView{
		Shell: shell("Progress note", &chen, SectionWorklist), Patient: patients[0], ID: "n1", Title: "Progress note", Kind: "Progress note", LOINC: "11506-3",
		Status: StatusAmended, Body: everyBlock(), CreatedBy: okafor.Name, CreatedAt: now.Add(-6 * time.Hour), Signatures: []SignatureView{by, cosigned}, WaitsForCosign: true, WaitsForReceiver: true, CanReceive: true,
		Tampered: true, CanCosign: true, CanWitness: true, CanAmend: true,
		Notes:    []AboutView{about("n2", "addendum", StatusSigned), about("n3", "correction", StatusRetracted), about("n4", "late-entry", StatusDraft)},
		Late:     []LateView{{NoteID: "n1", Author: chen.Name, Own: true, Texts: []LateText{{now, "two of ten", 3}}, Error: "Say why.", MaxReason: 500}},
		Comments: commentsSample(false),
	}
}

func worklistSample() WorklistView {
	note := func(id, kind, title string, status NoteStatus, ago time.Duration, by string, writers ...Person) NoteLink {
		return NoteLink{ID: id, Kind: kind, Title: title, Status: status, EditedAt: now.Add(-ago), EditedBy: by, Writers: writers}
	}
	return WorklistView{
		Shell: shell("Worklist", &okafor, SectionWorklist),
		Unit:  "4w",
		Tabs:  []Tab{{ShowUnit, 14}, {ShowMine, 3}, {ShowChanged, 2}, {ShowUnsigned, 12}, {ShowCosign, 0}}, Found: 4,
		Units: []UnitLink{{"4w", "4 West", 14}, {"icu", "Intensive care", 11}, {"ped", "Paediatrics", 15}},
		Kinds: []NoteKind{{"progress", "Progress note"}, {"hp", "History and physical"}, {"handoff", "Nursing handoff"}, {"discharge", "Discharge summary"}},
		Rows: []PatientRow{
			{patients[0], []NoteLink{
				note("n1", "Progress note", "Progress note", StatusDraft, 4*time.Minute, "Dr Mei Chen", chen, rivera),
				note("n2", "History and physical", "History and physical", StatusSigned, 52*time.Hour, "Dr Daniel Okafor"),
			}},
			{patients[1], []NoteLink{note("n3", "Nursing handoff", "Nursing handoff", StatusDraft, 90*time.Minute, "Rosa Rivera RN")}},
			{patients[2], nil},
			{patients[3], []NoteLink{note("n4", "Discharge summary", "Discharge summary", StatusDraft, 20*time.Hour, "Dr Daniel Okafor")}},
		},
	}
}

func boardSample() BoardView {
	signed := func(id, title string) BoardNote {
		return BoardNote{NoteLink: NoteLink{ID: id, Title: title, Status: StatusSigned}, By: okafor.Name}
	}
	waits := func(id, title, by, since string, overdue bool) BoardNote {
		return BoardNote{NoteLink: NoteLink{ID: id, Title: title, Status: StatusDraft}, By: by, Waits: since, Overdue: overdue, CanAsk: true}
	}
	asked := waits("n3", "Nursing handoff", rivera.Name, "2 d", true)
	asked.Asked, asked.Seen, asked.CanAsk = now.Add(-12*time.Minute), now.Add(-3*time.Minute), false
	unseen := waits("n4", "Discharge summary", okafor.Name, "26 h", true)
	unseen.Asked = now.Add(-40 * time.Minute)
	day := func(days int) time.Time { return now.AddDate(0, 0, days) }
	return BoardView{
		Shell: shell("4 West board", &haddad, SectionBoard), BoardUnitID: "4w", BoardUnitName: "4 West", AsOf: now, Overdue: 24 * time.Hour, CanSeeWall: true,
		Units: []UnitLink{{"4w", "4 West", 14}, {"icu", "Intensive care", 11}},
		Beds: []BoardBed{
			{
				ID: "b1", UnitID: "4w", Label: "4A-01", Patient: &patients[0], AsOf: now.Add(-7 * time.Second), CanChange: true, Alike: []string{"4A-03", "4A-05"}, Mine: true, Tasks: 3, TasksOverdue: 1,
				Bedside: Bedside{Severity: Choice{"unstable", "Unstable"}, Code: Choice{"dnr-dni", "DNR / DNI"}, Isolation: Choice{"contact-airborne", "Contact and airborne"}, Isolated: true, Home: day(0)},
				Writing: []Writer{{chen, "n1", "Progress note"}, {rivera, "n5", "Nursing handoff"}},
				Notes:   []BoardNote{waits("n1", "Progress note", okafor.Name, "under 1 h", false), signed("n2", "History and physical")},
			},
			{
				ID: "b2", UnitID: "4w", Label: "4A-02", Place: 1, Patient: &patients[1], AsOf: day(-1), CanChange: true, Notes: []BoardNote{asked},
				Bedside: Bedside{Severity: Choice{"watcher", "Watcher"}, Code: Choice{"full", "Full code"}, Isolation: Choice{"none", "No isolation"}, Home: day(1)},
			},
			{ID: "b3", UnitID: "4w", Label: "4A-03", Place: 2, Patient: &patients[2], AsOf: now, Alike: []string{"4A-01", "4A-05"}, Bedside: Bedside{Home: day(3)}},
			{ID: "b4", UnitID: "4w", Label: "4A-04", Place: 3},
			{
				ID: "b5", UnitID: "4w", Label: "4A-05", Place: 4, Patient: &patients[3], AsOf: now, Writing: []Writer{{okafor, "n4", "Discharge summary"}}, Notes: []BoardNote{unseen},
				Bedside: Bedside{Severity: Choice{"stable", "Stable"}, Home: day(-1)},
			},
		},
	}
}

func bedSample() BedView {
	beds := boardSample().Beds
	return BedView{
		Shell: shell("Bed 4A-01", &haddad, SectionBoard), Patient: patients[0], BoardUnitID: "4w", BedID: "b1", N: 2, Bedside: beds[0].Bedside,
		Severities: []Choice{{"unstable", "Unstable"}, {"watcher", "Watcher"}, {"stable", "Stable"}}, Codes: []Choice{{"full", "Full code"}, {"dnr-dni", "DNR / DNI"}},
		Isolations: []Choice{{"none", "No isolation"}, {"contact-airborne", "Contact and airborne"}}, Error: "Somebody else changed this while you looked.",
		Changes: []BedChange{{now, rivera.Name, "severity", "Watcher", "Unstable"}, {now.AddDate(0, 0, -1), chen.Name, "code status", "", "DNR / DNI"}},
	}
}

func wallSample() WallView {
	return WallView{UnitID: "4w", UnitName: "4 West", AsOf: now, Now: now, Beds: []WallBed{
		{ID: "b1", Label: "4A-01", Taken: true, Initials: "EW", Severity: Choice{"unstable", "Unstable"}, Isolation: "Contact and airborne", Home: now, Alike: true, Writing: []Person{chen, rivera}, Unsigned: 3, Overdue: 2},
		{ID: "b2", Label: "4A-02", Taken: true, Initials: "BO", Severity: Choice{"watcher", "Watcher"}, Unsigned: 1},
		{ID: "b3", Label: "4A-03", Taken: true},
		{ID: "b4", Label: "4A-04"},
		{ID: "b5", Label: "4A-05", Taken: true, Initials: "FA", Severity: Choice{"stable", "Stable"}},
	}}
}

func sessionsSample() SessionsView {
	at := func(ago time.Duration) time.Time { return now.Add(-ago) }
	sat := func(p Person, joined, left time.Time, edits int, typed Amount, devices ...string) SessionPerson {
		return SessionPerson{Person: p, Devices: devices, Joined: joined, Left: left, Edits: edits, Typed: typed, Deleted: Amount{7, 1}}
	}
	return SessionsView{
		Shell: shell("Editing sessions", &novak, SectionSessions), Sorts: []Choice{{"newest", "newest first"}}, Units: []Choice{{"4-west", "4 West"}},
		Filter: SessionFilter{Sort: "newest"},
		Live: &LiveSessions{AsOf: now, Rows: []SessionRow{{
			ID: "s1", NoteID: "n1", NoteKind: "Progress note", UnitName: "4 West", Bed: "4A-01", PatientInitials: "EW", Started: at(47 * time.Minute), Uncounted: 1,
			People: []SessionPerson{
				sat(chen, at(47*time.Minute), time.Time{}, 312, Amount{1204, 212}, "Firefox on Windows", "Safari on an iPhone"),
				sat(rivera, at(12*time.Minute), time.Time{}, 1, Amount{}, "Edge on Windows"),
			},
		}}},
		Past: &PastSessions{AsOf: now, Filter: SessionFilter{Sort: "newest"}, Next: "1763873654123456.s3", Rows: []SessionRow{
			{
				ID: "s2", NoteID: "n3", NoteKind: "Nursing handoff", UnitName: "4 West", Bed: "4A-02", PatientInitials: "BO", Started: at(3 * time.Hour), Ended: at(95 * time.Minute),
				People: []SessionPerson{sat(rivera, at(3*time.Hour), at(95*time.Minute), 540, Amount{530, 88})}, Breaks: 2, Losses: 1,
			},
			{
				ID: "s3", NoteID: "n2", NoteKind: "History and physical", UnitName: "4 West", Bed: "4A-01", PatientInitials: "EW", Started: at(53 * time.Hour), Ended: at(52 * time.Hour),
				People: []SessionPerson{
					sat(okafor, at(53*time.Hour), at(52*time.Hour), 2210, Amount{2100, 400}), sat(chen, at(53*time.Hour), at(3150*time.Minute), 18, Amount{20, 3}, "token “Lab bridge”"),
				}, Refusals: 3,
			},
		}},
	}
}

func sessionSample(s Shell) SessionView {
	row := sessionsSample().Past.Rows[1]
	at := func(m int) time.Time { return row.Started.Add(time.Duration(m) * time.Minute) }
	return SessionView{Shell: s, SessionRow: row, First: 12, Events: []SessionEvent{
		{At: at(0), Who: okafor.Name, What: "came", More: "Firefox on Windows"},
		{At: at(1), Until: at(20), Who: okafor.Name, What: "wrote", More: "2210 edits: 400 words, 1 deleted", Seq: 12},
		{At: at(4), Who: chen.Name, What: "tried: sent forged updates", More: "forged updates=3", Grave: true},
		{At: at(20), Until: at(31), Who: "nobody", What: "wrote: a break", Pause: true},
		{At: at(40), Who: chen.Name, What: "lost text unseen", More: "12 characters, removed by " + okafor.Name + "; not settled", Seq: 2300, Grave: true},
		{At: at(60), Who: okafor.Name, What: "left"},
	}}
}

// samplePages are all pages, by path.
func samplePages() map[string]templ.Component {
	login := LoginView{Shell: shell("Sign in", nil, SectionNone), Next: "/", Demo: &DemoSignIns{Password: "tidechart-demo", People: []Person{chen, okafor, rivera, haddad, novak}}}
	login.Passkeys, login.Provider = true, "St. Elsewhere"
	refused := login
	refused.Username, refused.Error, refused.Demo = "chen", "The user name or the password is wrong. Check both and try again.", nil
	ended := login
	ended.Ended, ended.Demo = EndedView{Unused: true, Unsaved: 2}, nil
	empty := worklistSample()
	empty.Rows, empty.Query, empty.Found = nil, "Smythe", 0
	sheet, signed := signSample(), signedSample()
	waiting := SignList{Tabs: empty.Tabs, Shell: shell("Not signed", &haddad, SectionUnsigned), OffersOf: true, Of: "unit", Overdue: 24 * time.Hour, Truncated: true, Rows: []SignRow{
		{Patient: patients[1], NoteID: "n3", Title: "Nursing handoff", Status: StatusReview, By: rivera.Name, Since: now.Add(-26 * time.Hour), Overdue: true, CanSign: true},
	}}
	inbox := waiting
	inbox.Shell, inbox.Ready = shell("To cosign", &chen, SectionCosign), waiting.Rows
	found := overviewSample(novak)
	found.Tour = TourFor("administrator", "")
	found.Query, found.Found, found.FoundUnits, found.Patients, found.FindsPatients = "west", []Account{accountSample(chen), accountSample(rivera)}, unitSample, patients[:2], true
	newer := noteSample(chen, true)
	newer.Live, newer.Newer = false, true
	confirm := ConfirmView{Shell: shell("Confirm that it is you", &chen, SectionNone), Next: "/", HasPassword: true, Codes: true, Passkeys: true, Provider: "St. Elsewhere"}
	weak := confirm
	weak.Weak, weak.HasPassword, weak.Provider = true, false, ""
	one := securitySample()
	one.Invited = now.Add(-20 * time.Minute)
	one.Codes, one.Passkeys, one.Provider, one.OneWay, one.PasswordChanged = false, nil, "", true, true
	unconfirmed := confirm
	unconfirmed.Error = "The password or the code is wrong. Check both and try again."
	return map[string]templ.Component{
		"/admin":         Overview(found),
		"/admin/keys":    Keys(keysSample()),
		"/admin/system":  System(systemSample()),
		"/cosign":        CosignInbox(inbox),
		"/confirm":       Confirm(confirm),
		"/confirm-weak":  Confirm(weak),
		"/second-factor": SecondFactor(SecondFactorView{Shell: Shell{Title: "One more step", User: &chen, Now: now, Left: 15 * time.Minute, Warn: time.Minute}, Next: "/", Passkeys: true}),
		"/unconfirmed":   Confirm(unconfirmed),
		"/security":      Security(securitySample()),
		"/security-one":  Security(one),
		"/password":      Password(PasswordView{Shell: shell("Another password", &chen, SectionNone), MinPassword: 15, Error: "The two passwords are not the same. Type both again."}),
		"/codes":         Codes(CodesView{Shell: shell("Codes from an app", &chen, SectionNone), QR: QR{Size: 3, Path: "M0 0h2v1h-2zM1 2h2v1h-2z"}, URI: "otpauth://totp/Tidechart:chen?secret=JBSWY3DPEHPK3PXP&issuer=Tidechart", Secret: "JBSW Y3DP EHPK 3PXP", Error: "This is not what the app should show now.", Back: "/security"}),
		"/recovery":      Recovery(RecoveryView{Shell: shell("Recovery codes", &chen, SectionNone), Codes: []string{"7QK2-9F3M-XW4T-B8AC", "2MX9-QTW4-0B7A-C3KF"}, Next: "/security"}),
		"/login":         Login(login),
		"/enrol":         Enrol(EnrolView{Shell: shell("First sign-in", nil, SectionNone), MinPassword: 15, Passkeys: true, Provider: "St. Elsewhere"}),
		"/login-refused": Login(refused),
		"/login-ended":   Login(ended),
		"/worklist":      Worklist(worklistSample()),
		"/empty":         Worklist(empty),
		"/note":          Note(noteSample(chen, true)),
		"/note-readonly": Note(noteSample(haddad, false)),
		"/sign":          Sign(sheet),
		"/signed":        Signed(signed),
		"/unsigned":      Unsigned(waiting),
		"/phrases":       Phrases(phrasesSample()),
		"/note-newer":    Note(newer),
		"/board":         Board(boardSample()),
		"/bed":           Bed(bedSample()),
		"/wall":          Wall(wallSample()),
		"/sessions":      Sessions(sessionsSample()),
		"/session":       Session(sessionSample(shell("Session", &novak, SectionSessions))),
		"/people":        People(peopleSample()),
		"/person":        PersonPage(personSample(true)),
		"/person-stale":  PersonPage(personSample(false)),
		"/program":       PersonPage(programSample()),
		"/add-person":    NewPerson(NewPersonView{Shell: shell("Add a person", &novak, SectionPeople), Roles: roleSample, Units: unitSample, Username: "Duarte", Role: "nurse", Error: "A username is 2 to 64 lower-case letters, digits, dots, dashes and underscores."}),
		"/invitation":    Invitation(InvitationView{Shell: shell("Invitation", &novak, SectionPeople), Account: accountSample(rivera), Code: "7QK2-9F3M-XW4T-B8AC", Until: now.Add(72 * time.Hour), Address: "https://notes.example/enrol"}),
		"/token":         IssuedToken(IssuedTokenView{Shell: shell("New token", &novak, SectionPeople), Account: programSample().Account, Token: "tide_" + strings.Repeat("aB3", 16) + "z", Days: 90}),
		"/units":         Units(UnitsView{Shell: shell("Units", &novak, SectionPeople), Fresh: true, Rows: []UnitRow{{"4w", "4 West", 20, 14}, {"icu", "Intensive care", 10, 10}}}),
		"/destruction":   DestructionPage(destructionSample()),
		"/destroyed":     Error(ErrorView{Shell: shell("Error", &chen, SectionNone), Status: 410, Detail: "It was destroyed on 02-Mar-2026, by decision of Erik Lindqvist and Petra Novak. Nothing can open it any more."}),
		"/error":         Error(ErrorView{Shell: shell("Not allowed", &novak, SectionNone), Status: 403, Request: "01HV9"}),
		"/api/docs":      APIDocs(APIDocsView{Shell: shell("HTTP API", &chen, SectionAPI), SpecURL: "/openapi.json"}),
	}
}

var (
	roleSample = []string{"attending", "resident", "nurse", "charge nurse", "administrator"}
	unitSample = []Choice{{"4w", "4 West"}, {"icu", "Intensive care"}}
)

func accountSample(p Person) Account { return Account{Person: p, Unit: "4w", HasWay: true} }

func peopleSample() PeopleView {
	invited, suspended, covering := accountSample(rivera), accountSample(haddad), accountSample(okafor)
	invited.HasWay, invited.InvitedUntil, suspended.Suspended, covering.Covers, covering.Supervisor = false, now.Add(50*time.Hour), true, "icu, ped", "chen"
	return PeopleView{
		Shell: shell("People", &novak, SectionPeople), Roles: roleSample, Query: "4w", Next: "/admin/people?after=novak", Later: true,
		Rows: []Account{accountSample(chen), suspended, covering, invited, programSample().Account},
	}
}

// personSample is chen's page, for novak, who has just proven who she is, or not.
func personSample(fresh bool) PersonView {
	own := securitySample()
	own.Logins[0].This = false
	return PersonView{
		Shell: shell("Person", &novak, SectionPeople), Account: accountSample(chen), Fresh: fresh, Epoch: "7", Roles: roleSample, Units: unitSample, Done: "Changed.",
		Shifts: []Shift{{"icu", now.Add(9 * time.Hour)}}, HasPassword: true, Codes: true, Recovery: 9, Passkeys: own.Passkeys, Logins: own.Logins,
	}
}

func programSample() PersonView {
	lab := Account{Person: Person{ID: "p6", Username: "lab", Name: "Laboratory results", Role: "service account", Initials: "LR", ColorIndex: 5}, Unit: "4w", Program: true}
	return PersonView{
		Shell: shell("Person", &novak, SectionPeople), Account: lab, Fresh: true, Epoch: "1", Roles: []string{"service account"}, Units: unitSample,
		Error: "Say what the token is for: notes:read, notes:write, accesses:read.", Scopes: []Choice{{"notes:read", "Read the notes of a unit"}, {"notes:write", "Read and write them"}, {"accesses:read", "Follow who opens records"}},
		Tokens: []TokenRow{
			{ID: "t1", Label: "Results of the night shift", Scopes: "notes:read, notes:write", Unit: "4w", Created: now.Add(-80 * 24 * time.Hour), Expires: now.Add(10 * 24 * time.Hour), Used: now.Add(-2 * time.Hour), By: "Petra Novak"},
			{ID: "t2", Scopes: "accesses:read", Created: now.Add(-time.Hour), Expires: now.Add(365 * 24 * time.Hour)},
		},
	}
}

// securitySample is chen's page about her own sign-in.
func securitySample() SecurityView {
	return SecurityView{
		Shell: shell("Your sign-in", &chen, SectionNone), HasPassword: true, Codes: true, Recovery: 9, Provider: "St. Elsewhere", CanAddPasskey: true,
		Passkeys: []PasskeyRow{
			{ID: "a2V5", Name: "Chrome on Linux", Created: now.Add(-40 * 24 * time.Hour), Used: now.Add(-time.Hour)},
			{ID: "a2V6", Name: "My telephone", Created: now.Add(-2 * time.Hour), Used: now.Add(-2 * time.Hour), Synced: true},
		},
		Logins: []LoginRow{
			{ID: "11111111-1111-4111-8111-111111111111", Browser: "Chrome on Linux", Began: now.Add(-3 * time.Hour), Seen: now, This: true},
			{ID: "22222222-2222-4222-8222-222222222222", Browser: "Safari on an iPhone", Began: now.Add(-11 * time.Hour), Seen: now.Add(-50 * time.Minute)},
			{ID: "33333333-3333-4333-8333-333333333333", Began: now.Add(-2 * time.Hour), Seen: now.Add(-2 * time.Hour)},
		},
	}
}

func destructionSample() DestructionView {
	one, all := Record{PatientInitials: "EW", MRN: "T-104233", NoteID: "n1", NoteKind: "Progress note"}, Record{PatientInitials: "BO", MRN: "T-104251"}
	asked := Destruction{
		ID: "d1", Record: one, Reason: "It was written about somebody else, or never should have been", Words: "Belongs to the patient of 4A-02.", Notes: 1, Held: true,
		Asker: "Erik Lindqvist", AskedAt: now.Add(-time.Hour), Until: now.Add(167 * time.Hour), CanApprove: true, CanRefuse: true, CanWithdraw: true,
	}
	approved := Destruction{
		ID: "d2", Record: all, Reason: "It need not be kept any longer", Words: "Eleven years old.", Notes: 4, Here: true,
		Asker: "Erik Lindqvist", AskedAt: now.Add(-30 * time.Hour), Until: now.Add(138 * time.Hour), Approver: "Petra Novak", ApprovedAt: now.Add(-2 * time.Hour), CanRefuse: true,
	}
	done, ended, late := approved, asked, asked
	done.ID, done.Record, done.Words, done.DoneAt, done.CanRefuse, done.Here = "d3", Record{}, "(destroyed)", now.Add(-time.Hour), false, false
	ended.ID, ended.EndedAt, ended.Ender, ended.CanApprove, ended.CanRefuse, ended.CanWithdraw = "d4", now.Add(-time.Hour), "Petra Novak", false, false, false
	late.ID, late.EndedAt, late.CanApprove, late.CanRefuse, late.CanWithdraw = "d5", now.Add(-time.Hour), false, false, false
	return DestructionView{
		Shell: shell("Destruction of records", &novak, SectionDestruction), Fresh: true, CanAsk: true, CanHold: true, Words: "because", Reason: "error", Sought: "T-104233",
		Error: "Say why in 10 to 500 characters. Somebody will read it.", Within: 7 * 24 * time.Hour, MinWords: 10, MaxWords: 500,
		Reasons: []Choice{{"retention", "It need not be kept any longer"}, {"error", "It was written about somebody else, or never should have been"}},
		Waiting: []Destruction{asked, approved}, Over: []Destruction{done, ended, late},
		Holds: []Hold{{ID: "h1", Record: all, Words: "litigation 12/34", Setter: "Erik Lindqvist", SetAt: now.Add(-50 * time.Hour)}},
	}
}

func overviewSample(user Person) OverviewView {
	v := OverviewView{Shell: shell("Overview", &user, SectionOverview), Servers: 2, Sockets: 41, OpenNotes: 12, Live: 9, People: 210, Units: 14}
	v.Path = "/admin"
	v.Wait(1, "emergency access to be reviewed", "", "/reviews", true)
	v.Wait(3, "", "sign-ins failed since yesterday", "", false)
	return v
}

func keysSample() KeysView {
	v := KeysView{Shell: shell("Keys", &novak, SectionOverview), Recovery: "9f31c2d4e5a6b7c8d9e0f1a2b3c4d5e6", Rows: []KeyRow{
		{ID: "00112233445566778899aabbccddeeff", Since: now.Add(-time.Hour), Newest: true, DataKeys: 120, Held: 1, Missing: 1},
		{ID: "ffeeddccbbaa99887766554433221100", Since: now.AddDate(-1, 0, 0), DataKeys: 41_007, WithoutCopy: 3, Held: 2},
	}, Retired: []RetiredKey{{"0123456789abcdef0123456789abcdef", now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0)}}}
	v.Path = "/admin/keys"
	return v
}

func systemSample() SystemView {
	v := SystemView{Shell: shell("System", &novak, SectionOverview), Retries: 1, Database: DatabaseView{"17.5", 3 << 30, 24, 200, now.AddDate(0, 0, -9), 3 * time.Millisecond}, Servers: []ServerView{
		{ID: "4f1a2b3c", Here: true, Running: true, Version: "v1.2.0", Began: now.Add(-50 * time.Hour), Seen: now, Sockets: 31, Notes: 9, Writers: 7, Streams: 4, Queued: 1, Unsettled: 5000, Lag: 3 * time.Millisecond, Reading: 2, MaxRead: 16, TLS: true, PostQuantum: 812, Classical: 3, Refused: 9},
		{ID: "9c8b7a6d", Version: "v1.2.0", Began: now.Add(-60 * time.Hour), Seen: now.Add(-4 * time.Minute), MaxRead: 16},
	}, Commits: LatencyView{All: 1203, Half: 2 * time.Millisecond, Most: 20 * time.Millisecond, Parts: []LatencyPart{{time.Millisecond, 200}, {2 * time.Millisecond, 900}, {5 * time.Millisecond, 100}, {0, 3}}}}
	v.Path = "/admin/system"
	return v
}
