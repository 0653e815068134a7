package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/misread"
	"github.com/clisonix/tidechart/server/signature"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/sessions"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// This file has the sheet on which somebody signs a note. A page shows a note at one moment; what is signed is what it showed, by
// its hashes, or nothing.

// Limits of the sheet (I10).
const (
	maxChangedLines = 50 // that are listed of what has changed since somebody looked
	maxLostShown    = 20 // texts
	maxMisread      = 50 // notations that are easily misread
)

// mountSigning adds the pages by which notes are signed, and what follows from that.
func (s *Server) mountSigning(mux *http.ServeMux) {
	mux.Handle("GET /notes/{id}/sign", s.known(s.signPage))
	mux.Handle("POST /notes/{id}/sign", s.known(s.signHere))
	mux.Handle("POST /notes/{id}/hold", s.known(s.holdStill))
	mux.Handle("POST /notes/{id}/let-go", s.known(s.letGo))
	mux.Handle("POST /notes/{id}/review", s.known(s.review))
	mux.Handle("GET /notes/{id}/standing", s.known(s.standingNow))
	mux.Handle("GET /notes/{id}/amend", s.known(s.amendPage))
	mux.Handle("POST /notes/{id}/amend", s.known(s.amendHere))
	mux.Handle("POST /notes/{id}/late", s.known(s.settleLate))
	mux.Handle("GET /cosign", s.allowedAnywhere(access.CosignNote, s.cosignPage))
	mux.Handle("GET /unsigned", s.allowedAnywhere(access.WriteNote, s.unsignedPage))
	mux.Handle("GET /late", s.known(s.latePage))
}

// signs are the acts by which each meaning is given.
var signs = map[signature.Meaning]access.Act{
	signature.Author: access.SignNote, signature.Cosign: access.CosignNote, signature.Witness: access.WitnessNote,
	signature.Receiver: access.ReceiveNote,
}

// shown is what of a note somebody had before them, as their browser says: it is believed in nothing but what it compares to.
type shown struct {
	as  signature.Meaning
	seq uint64 // 0: they have not looked
	store.Seen
}

// shownIn reads what a form or an address says.
func shownIn(values url.Values) (v shown, err error) {
	v.as = cmp.Or(signature.Meaning(values.Get("as")), signature.Author)
	if signs[v.as] == 0 {
		return v, badRequest("A note is signed as its author, to cosign it, as a witness, or as the receiver of a handoff.")
	}
	v.seq, _ = strconv.ParseUint(values.Get("seq"), 10, 64)    // none: they have not looked
	v.Epoch, _ = strconv.ParseInt(values.Get("epoch"), 10, 64) // none: it is not frozen
	if values.Has("content") {
		content, badContent := signature.ParseHash(values.Get("content"))
		attribution, badAttribution := signature.ParseHash(values.Get("attribution"))
		identity, badIdentity := signature.ParseHash(values.Get("identity"))
		if badContent != nil || badAttribution != nil || badIdentity != nil {
			return v, badRequest("The form does not say what you have seen. Open the sheet again.")
		}
		v.Hashes, v.Identity = signature.Hashes{Content: content, Attribution: attribution}, identity
	}
	return v, nil
}

// back is the sheet, to which somebody comes back who has proven again who they are. The address has no hash: one of a short note
// could be guessed from (I14).
func (v shown) back(note uuid.UUID) string {
	q := url.Values{"as": {string(v.as)}, "seq": {strconv.FormatUint(v.seq, 10)}}
	return notePath(note) + "/sign?" + q.Encode()
}

// mayOnceFresh refuses who could not do an act to a note even if they proved again who they are. That is on record.
func (s *Server) mayOnceFresh(ctx context.Context, who login.Person, act access.Act, note uuid.UUID) (standing, error) {
	st, err := s.standingOf(ctx, who, note)
	if err != nil {
		return st, err
	}
	if st.State == stateDestroyed {
		return st, s.destroyed(ctx, who, st, note, notAgain)
	}
	if st.mayOnceFresh(act) {
		return st, nil
	}
	who.Role = st.who.Role
	return st, s.decide(ctx, who, act, st.note, onto{patient: st.PatientID, note: note})
}

// noteNamed is the note in a request's path.
func noteNamed(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return id, sessions.ErrNoNote
	}
	return id, nil
}

// formAbout reads the form about the note in a request's path.
func formAbout(w http.ResponseWriter, r *http.Request) (uuid.UUID, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return uuid.Nil, err
	}
	return noteNamed(r)
}

func (s *Server) signPage(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := noteNamed(r)
	if err != nil {
		return err
	}
	looked, err := shownIn(r.URL.Query())
	if err != nil {
		return err
	}
	if _, err := s.mayDo(r.Context(), who, access.ReadNote, id, byPage); err != nil {
		return err
	}
	st, err := s.mayOnceFresh(r.Context(), who, signs[looked.as], id)
	if looked.as == signature.Author && st.note.Signed { // it was done meanwhile
		http.Redirect(w, r, notePath(id), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return s.showSheet(w, r, who, id, looked, nil)
}

// signHere has somebody sign what they have seen, or shows them the sheet anew, and why.
func (s *Server) signHere(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	seen, err := shownIn(r.PostForm)
	if err != nil {
		return err
	}
	if _, err := s.mayOnceFresh(r.Context(), who, signs[seen.as], id); err != nil {
		return err
	}
	if seen.as != signature.Author { // who has something to say there says it in the note
		seen.Remark = remarkIn(r.PostForm)
	}
	if err := justProven(who, seen.back(id)); err != nil {
		if seen.Remark != "" { // no address has it, and it is not to be typed twice
			return s.showSheet(w, r, who, id, seen, errWordsKept)
		}
		return err
	}
	switch seen.as {
	case signature.Cosign:
		_, err = s.cosignNote(r.Context(), who, id, seen.Seen)
	case signature.Witness:
		_, err = s.witnessNote(r.Context(), who, id, seen.Seen)
	case signature.Receiver:
		_, err = s.receiveNote(r.Context(), who, id, seen.Seen)
	default:
		_, err = s.signNote(r.Context(), who, id, seen.Seen)
	}
	for _, again := range []error{store.ErrChanged, store.ErrFrozen, store.ErrFreezeOver, store.ErrBlanks, store.ErrSuggestions, store.ErrRights, store.ErrRemark} {
		if errors.Is(err, again) {
			return s.showSheet(w, r, who, id, seen, again)
		}
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, notePath(id), http.StatusSeeOther)
	return nil
}

// errWordsKept means that somebody has to prove who they are before they sign, and that their sheet is shown with what they typed on it.
var errWordsKept = errors.New("not proven lately, and words on the sheet")

// remarkIn is what a form says with a signature: browsers send lines as CR LF.
func remarkIn(form url.Values) string {
	return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", " ").Replace(form.Get("remark")))
}

// holdStill keeps others from writing while somebody reads what they sign.
func (s *Server) holdStill(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	seen, err := shownIn(r.PostForm)
	if err != nil {
		return err
	}
	if _, err := s.mayOnceFresh(r.Context(), who, access.SignNote, id); err != nil {
		return err
	}
	if err := justProven(who, seen.back(id)); err != nil {
		return err
	}
	_, err = s.freezeNote(r.Context(), who, id, store.MaxFreeze)
	for _, not := range []error{store.ErrFrozen, store.ErrFreezes} {
		if errors.Is(err, not) {
			return s.showSheet(w, r, who, id, seen, not)
		}
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, seen.back(id), http.StatusSeeOther)
	return nil
}

func (s *Server) letGo(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	epoch, err := strconv.ParseInt(r.PostFormValue("epoch"), 10, 64)
	if err != nil {
		return badRequest("The form does not say what to let go of. Open the note again.")
	}
	if err := s.letGoNote(r.Context(), who, id, epoch); err != nil {
		return err
	}
	http.Redirect(w, r, notePath(id), http.StatusSeeOther)
	return nil
}

// review says that a draft is done, or that it is not. Somebody may have been faster: then it is as they wanted it.
func (s *Server) review(w http.ResponseWriter, r *http.Request, who login.Person) error {
	id, err := formAbout(w, r)
	if err != nil {
		return err
	}
	if err := s.reviewNote(r.Context(), who, id, r.PostFormValue("done") == "yes"); err != nil && !errors.Is(err, store.ErrChanged) {
		return err
	}
	http.Redirect(w, r, notePath(id), http.StatusSeeOther)
	return nil
}

// showSheet shows a note as it would be signed now; why says why what somebody wanted to sign before was not.
func (s *Server) showSheet(w http.ResponseWriter, r *http.Request, who login.Person, id uuid.UUID, looked shown, why error) error {
	ctx := r.Context()
	sheet, _, err := s.signSheet(ctx, who, id)
	if err != nil {
		return err
	}
	view := web.SignView{
		ID: id.String(), Kind: kindName(sheet.Note.Kind), Title: sheet.Note.Title, Status: web.NoteStatus(store.StateOf(sheet.Note)),
		Meaning: web.Meaning(looked.as), Printed: signature.PrintedName(who.Name), Body: sheet.Doc, Fresh: who.Fresh(),
		Content: sheet.Hashes().Content.String(), Attribution: sheet.Hashes().Attribution.String(), Seq: sheet.Seq,
		Identity: sheet.Seen().Identity.String(), Remark: clip(looked.Remark, maxForm), MaxRemark: signature.MaxRemark, ProveAt: confirmPath(looked.back(id)),
		Signatures: signatureViews(sheet.Signatures),
	}
	if err := s.fillSheet(ctx, sheet, &view); err != nil {
		return err
	}
	if view.Frozen = s.freezeView(ctx, who, sheet.Note); view.Frozen != nil && view.Frozen.Own {
		view.Epoch = view.Frozen.Epoch
	}
	if looked.as == signature.Author && looked.seq > 0 {
		if view.Since, err = s.since(ctx, id, looked.seq, sheet.Seq); err != nil {
			return err
		}
	}
	code := http.StatusOK
	if why != nil {
		code, view.Error = statusOf(r.Context(), why)
	}
	s.barSigning(r.Context(), who, sheet, &view)
	patient, err := s.patientOf(ctx, id)
	if err != nil {
		return err
	}
	view.Patient = patient
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Sign: {tabTitle}", web.TabTitle(r.Context(), view.Kind, patient)), web.SectionWorklist)
	s.render(w, r, code, web.Sign(view))
	return nil
}

// fillOrigins adds how the note came about, and what of it is from earlier ones.
func (s *Server) fillOrigins(ctx context.Context, sheet store.Sheet, view *web.SignView) error {
	past, err := s.pastOf(ctx, sheet.Note.ID)
	if err != nil {
		return err
	}
	seq := min(sheet.Seq, past.Head())
	sum, err := past.Summary(seq)
	if err != nil {
		return err
	}
	people, err := s.peopleOf(ctx, past, sum.Carried...)
	if err != nil {
		return err
	}
	view.Origins = originWords(sum.ByOrigin())
	view.Carried = carriedViews(sum.Carried, people, past.Moment(seq).At)
	return nil
}

// barSigning says what cannot be signed at all, and why.
func (s *Server) barSigning(ctx context.Context, who login.Person, sheet store.Sheet, view *web.SignView) {
	says := func(err error) {
		view.Barred = true
		_, view.Error = statusOf(ctx, err)
	}
	signed := len(sheet.Signatures) > 0
	for _, one := range sheet.Signatures {
		if one.By == who.ID {
			says(store.ErrSignedBefore)
		}
	}
	switch {
	case view.Barred:
	case view.Meaning == web.MeaningAuthor:
		if len(sheet.Blanks) > 0 {
			says(store.ErrBlanks)
		} else if sheet.Suggestions.Open > 0 {
			says(store.ErrSuggestions)
		} else if view.Frozen != nil && !view.Frozen.Own {
			says(store.ErrFrozen)
		}
	case !signed || view.Status == web.StatusRetracted:
		says(store.ErrUnsigned)
	case sheet.Signatures[0].Hashes != sheet.Hashes():
		view.Barred, view.Error = true, notAsSigned
		s.log.Error("a signed note does not read as it was signed", "note", sheet.Note.ID)
	case view.Meaning == web.MeaningCosign && !store.WaitsForCosign(sheet.Signatures):
		says(store.ErrNoCosign)
	}
}

const notAsSigned = "The note does not read as it was signed. Whoever runs Tidechart has to look at that before anybody relies on it."

// fillSheet adds who wrote the note, and what speaks against signing it.
func (s *Server) fillSheet(ctx context.Context, sheet store.Sheet, view *web.SignView) error {
	// It searches what was written last, too: sheet.Unsearched counts what a session has yet to write down.
	losses, err := s.hub.Losses(ctx, sheet.Note.ID, sessions.LossQuery{Waiting: true, Limit: maxLostShown + 1})
	if err != nil {
		return err
	}
	if view.MoreLost = len(losses) > maxLostShown; view.MoreLost {
		losses = losses[:maxLostShown]
	}
	var ids []uuid.UUID
	for _, c := range sheet.Contributors {
		ids = append(ids, c.Person)
	}
	for _, l := range losses {
		ids = append(ids, l.Author, l.By)
	}
	people, err := s.peopleNamed(ctx, ids)
	if err != nil {
		return err
	}
	threads, err := s.db.OpenThreads(ctx, sheet.Note.ID)
	if err != nil {
		return err
	}
	view.Threads = int(threads)
	for _, c := range sheet.Contributors {
		view.Contributors = append(view.Contributors, web.Contributor{Person: people[c.Person], Words: c.Words})
	}
	for _, l := range losses {
		view.Losses = append(view.Losses, web.LossView{Author: people[l.Author].Name, By: people[l.By].Name, At: l.At.Local(), Words: l.Words})
	}
	view.Authorship = func(text prose.Node) web.Authorship { return web.Authorship{Person: people[sheet.Whose(text.Author)]} }
	if err := s.fillOrigins(ctx, sheet, view); err != nil {
		return err
	}
	for _, b := range sheet.Blanks {
		view.Blanks = append(view.Blanks, blankView(b))
	}
	view.Misread, view.MisreadAll = misreadViews(sheet.Doc)
	view.Suggestions, view.FirstSuggestion = sheet.Suggestions.Open, sheet.Suggestions.First
	for _, c := range sheet.Cosigners {
		view.Cosigners = append(view.Cosigners, web.CosignerView{Name: c.Name, Supervises: c.Supervises})
	}
	if sheet.About != nil {
		about, err := s.aboutView(ctx, *sheet.About)
		view.About = &about
		return err
	}
	return nil
}

// blankView shows the asterisks that are to be filled in.
func blankView(b signature.Blank) web.BlankView {
	end := b.Offset
	for end < len(b.Line) && b.Line[end] == '*' {
		end++
	}
	return markedView(signature.Line{Section: b.Section, Text: b.Line, Nth: b.Nth}, b.Offset, end)
}

// misreadViews shows what of a note is easily misread: of much the first, and how much there is.
func misreadViews(doc prose.Node) (found []web.MisreadView, all int) {
	signature.EachLine(doc, func(l signature.Line) {
		for _, p := range misread.Find(l.Text) {
			if all++; len(found) < maxMisread {
				found = append(found, web.MisreadView{BlankView: markedView(l, p.From, p.To), Instead: p.Instead, Why: p.Why})
			}
		}
	})
	return found, all
}

// markedView cuts a line where something of it is shown; of a long one it shows what stands beside that.
func markedView(l signature.Line, from, to int) web.BlankView {
	const beside = 60 // characters
	before, after := []rune(l.Text[:from]), []rune(l.Text[to:])
	v := web.BlankView{Section: l.Section, Mark: l.Text[from:to], Nth: l.Nth, Before: string(before), After: string(after)}
	if len(before) > beside {
		v.Before = "…" + string(before[len(before)-beside:])
	}
	if len(after) > beside {
		v.After = string(after[:beside]) + "…"
	}
	return v
}

// peopleNamed looks up people, each once; whom nobody knows is not in it.
func (s *Server) peopleNamed(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]web.Person, error) {
	rows, err := s.db.PeopleByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up people: %w", err)
	}
	people := make(map[uuid.UUID]web.Person, len(rows))
	for _, row := range rows {
		people[row.ID] = personRowView(row)
	}
	return people, nil
}

// freezeView says who holds a note, if somebody does.
func (s *Server) freezeView(ctx context.Context, who login.Person, n queries.Note) *web.FreezeView {
	if n.State != store.Freezing || store.Writable(n) || n.FrozenUntil == nil {
		return nil
	}
	f := &web.FreezeView{Until: n.FrozenUntil.Local(), Own: n.FrozenBy.UUID == who.ID, Epoch: n.SignEpoch, By: words.Say(ctx, "Somebody")}
	if people, err := s.peopleNamed(ctx, []uuid.UUID{n.FrozenBy.UUID}); err == nil && people[n.FrozenBy.UUID].Name != "" {
		f.By = people[n.FrozenBy.UUID].Name
	}
	return f
}

// since says how a note changed from one row of its log to another.
func (s *Server) since(ctx context.Context, id uuid.UUID, from, to uint64) (*web.Since, error) {
	past, err := s.pastOf(ctx, id)
	if err != nil {
		return nil, err
	}
	to = min(to, past.Head())
	from = min(max(from, 1), to)
	at := func(seq uint64) (prose.Node, signature.Hashes, error) {
		doc, err := past.Doc(seq)
		if err != nil {
			return prose.Node{}, signature.Hashes{}, err
		}
		read := prose.ReadTraced(doc.XMLFragment(sessions.Fragment))
		r, err := signature.Render(prose.CurrentSchema(), read, past.Writer)
		return read, r.Hashes(), err
	}
	older, was, err := at(from)
	if err != nil {
		return nil, err
	}
	newer, is, err := at(to)
	if err != nil {
		return nil, err
	}
	since := &web.Since{Seq: to, Changed: was != is}
	if since.Changed {
		since.Lines, since.More = web.SinceOf(older, newer, maxChangedLines)
	}
	return since, nil
}

// patientOf is whom a note is about, as its pages show them.
func (s *Server) patientOf(ctx context.Context, note uuid.UUID) (web.Patient, error) {
	about, err := s.aboutNote(ctx, note)
	return about.patient, err
}

func signatureViews(all []store.Signature) []web.SignatureView {
	views := make([]web.SignatureView, len(all))
	for i, one := range all {
		views[i] = web.SignatureView{
			Name: one.Name, Role: one.Role, Meaning: web.Meaning(one.Meaning), At: one.At.Local(), Fingerprint: one.Keys.Fingerprint(),
			Hash: one.Hash.String(), Content: one.Hashes.Content.String(), Cosign: one.Cosign, Said: one.Said,
		}
	}
	return views
}

// aboutView is a note that is about another.
func (s *Server) aboutView(ctx context.Context, a store.About) (web.AboutView, error) {
	parent, err := s.db.NoteByID(ctx, a.Parent)
	return web.AboutView{
		ID: a.Note.String(), Title: a.Title, Parent: a.Parent.String(), ParentTitle: parent.Note.Title, Relation: string(a.Relation), Reason: a.Reason,
		By: a.Creator, At: a.At.Local(), Status: web.NoteStatus(a.State),
	}, err
}
