package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/server/audit"
	"github.com/clisonix/tidechart/server/login"
	"github.com/clisonix/tidechart/server/store"
	"github.com/clisonix/tidechart/server/store/queries"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// How much of the log of acts there is to see at once, and to hand out.
const (
	maxActs         = 500
	maxActsExported = 5000
	logSince        = 7 * 24 * time.Hour // unless the form says otherwise
)

// logPage is where the privacy officer looks into the log of acts. What they look for is posted: it names people.
const logPage = "/reviews/log"

// actsText says what the acts are, for people, in the order of the menu.
var actsText = []web.Option{
	{Value: string(audit.OpenNote), Text: "opened a note"},
	{Value: string(audit.CreateNote), Text: "began a note"},
	{Value: string(audit.EditNote), Text: "edited a note"},
	{Value: string(audit.JoinNote), Text: "came to a note"},
	{Value: string(audit.LeaveNote), Text: "left a note"},
	{Value: string(audit.PrintNote), Text: "printed a note"},
	{Value: string(audit.ExportNote), Text: "took a note as a file"},
	{Value: string(audit.CommentNote), Text: "commented on a note"},
	{Value: string(audit.PlaceThread), Text: "moved text that a comment is about"},
	{Value: string(audit.NameVersion), Text: "named a version of a note"},
	{Value: string(audit.ReceiveNote), Text: "read a handoff back"},
	{Value: string(audit.ChangePhrase), Text: "changed a phrase"},
	{Value: string(audit.BringBack), Text: "brought an older version of a note back"},
	{Value: string(audit.SettleLoss), Text: "settled what became of lost text"},
	{Value: string(audit.ForgeUpdate), Text: "sent forged updates"},
	{Value: string(audit.AnchorNote), Text: "noted how far a note had come"},
	{Value: string(audit.FaultyNote), Text: "found a note that is not as it was"},
	{Value: string(audit.RestoreNote), Text: "accepted an older state of a note"},
	{Value: string(audit.RecoverNote), Text: "opened notes for recovery"},
	{Value: string(audit.ReviewNote), Text: "said whether a note is ready for review"},
	{Value: string(audit.FreezeNote), Text: "held a note still to sign it"},
	{Value: string(audit.LetGoNote), Text: "let go of a note without signing it"},
	{Value: string(audit.SignNote), Text: "signed a note"},
	{Value: string(audit.CosignNote), Text: "cosigned a note"},
	{Value: string(audit.WitnessNote), Text: "signed a note as a witness"},
	{Value: string(audit.AmendNote), Text: "began a note about a signed one"},
	{Value: string(audit.KeepLate), Text: "wrote in a note after it was signed: kept beside it"},
	{Value: string(audit.SettleLate), Text: "settled what became of late words"},
	{Value: string(audit.MakeNoteKey), Text: "made the key that signs notes"},
	{Value: string(audit.SearchPatients), Text: "searched the worklist"},
	{Value: string(audit.ListNotes), Text: "listed notes over the API"},
	{Value: string(audit.Access), Text: "asked for what is not theirs"},
	{Value: string(audit.BreakGlass), Text: "broke the glass"},
	{Value: string(audit.ReviewGlass), Text: "reviewed broken glass"},
	{Value: string(audit.SeeAccesses), Text: "looked at who opened a record"},
	{Value: string(audit.ExportAccesses), Text: "exported who opened a record"},
	{Value: string(audit.FollowAccesses), Text: "followed who opens records"},
	{Value: string(audit.SetHold), Text: "set a legal hold"},
	{Value: string(audit.LiftHold), Text: "lifted a legal hold"},
	{Value: string(audit.AskDestroy), Text: "asked that a record be destroyed"},
	{Value: string(audit.ApproveDestroy), Text: "approved that a record be destroyed"},
	{Value: string(audit.SeeDecisions), Text: "looked at what is to be destroyed, is due or is held"},
	{Value: string(audit.SeeHolds), Text: "looked at what is held"},
	{Value: string(audit.EndDestroy), Text: "decided against destroying a record"},
	{Value: string(audit.Destroy), Text: "destroyed a record"},
	{Value: string(audit.SearchSessions), Text: "searched sessions"},
	{Value: string(audit.SeeSession), Text: "looked at a session"},
	{Value: string(audit.ExportSessions), Text: "exported sessions"},
	{Value: string(audit.SetRetention), Text: "said how long records are kept"},
	{Value: string(audit.BeginPurge), Text: "began to purge records"},
	{Value: string(audit.Purge), Text: "purged a record whose time was over"},
	{Value: string(audit.EndPurge), Text: "ended purging records"},
	{Value: string(audit.SearchLog), Text: "searched this log"},
	{Value: string(audit.ExportLog), Text: "exported this log"},
	{Value: string(audit.SignIn), Text: "signed in"},
	{Value: string(audit.Confirm), Text: "confirmed who they are"},
	{Value: string(audit.SignOut), Text: "ended a sign-in"},
	{Value: string(audit.ChangeSignIn), Text: "changed how somebody signs in"},
	{Value: string(audit.Enrol), Text: "used an invitation"},
	{Value: string(audit.AddPerson), Text: "added somebody"},
	{Value: string(audit.ChangePerson), Text: "changed somebody"},
	{Value: string(audit.CoverUnit), Text: "changed who covers a unit"},
	{Value: string(audit.Invite), Text: "invited somebody"},
	{Value: string(audit.StartOver), Text: "had somebody start over"},
	{Value: string(audit.SearchPeople), Text: "searched people"},
	{Value: string(audit.SearchPlaces), Text: "searched people, units and patients"},
	{Value: string(audit.IssueToken), Text: "issued a token"},
	{Value: string(audit.RevokeToken), Text: "revoked a token"},
	{Value: string(audit.ChangeUnit), Text: "changed a unit"},
	{Value: string(audit.ChangePatient), Text: "added a patient, or changed their record"},
	{Value: string(audit.ChangeBedside), Text: "changed what a bed says"},
	{Value: string(audit.DoTask), Text: "ticked off a task of a signed note"},
	{Value: string(audit.Nudge), Text: "asked somebody to sign a note"},
	{Value: string(audit.SeeNudge), Text: "saw that they were asked to sign"},
	{Value: string(audit.AdoptKey), Text: "took a key into use"},
	{Value: string(audit.RotateKey), Text: "changed the key that all others are wrapped to"},
	{Value: string(audit.RenewKeys), Text: "had new keys made for what is written from then on"},
	{Value: string(audit.RewrapKeys), Text: "wrapped all keys anew"},
	{Value: string(audit.RetireKey), Text: "took a key out of use"},
	{Value: string(audit.RecoverKeys), Text: "opened all keys by shares of the recovery key"},
	{Value: string(audit.MakeSigner), Text: "made the log’s keys"},
	{Value: string(audit.RestoreLog), Text: "accepted an older state of the database"},
	{Value: string(audit.TakeInLog), Text: "took the log over from another database server"},
	{Value: string(audit.FindActs), Text: "found acts that had been kept out of this log"},
}

// outcomesText are those that the log can be searched for.
var outcomesText = []web.Option{{Value: "", Text: "All"}, {Value: "in vain", Text: "refused or failed"}}

// inVain is the page of what people tried in vain of late. Its address names nobody.
func inVain(act audit.Act) string {
	return logPage + "?" + url.Values{"act": {string(act)}, "outcome": {outcomesText[1].Value}}.Encode()
}

func actText(ctx context.Context, act string) string {
	i := slices.IndexFunc(actsText, func(c web.Option) bool { return c.Value == act })
	if i < 0 {
		return act
	}
	return words.Say(ctx, actsText[i].Text)
}

// logOfActs lists what of the log somebody asks for, or hands it out. That they looked is in the log, too.
func (s *Server) logOfActs(w http.ResponseWriter, r *http.Request, who login.Person) error {
	asked, err := filterOf(w, r)
	if err != nil {
		return err
	}
	for _, name := range []string{"act", "outcome"} { // which an address may have
		asked.Set(name, cmp.Or(asked.Get(name), r.URL.Query().Get(name)))
	}
	now := time.Now()
	view := web.LogView{
		Person: clip(strings.TrimSpace(asked.Get("person")), maxQuery), Patient: clip(strings.TrimSpace(asked.Get("patient")), maxQuery), Act: asked.Get("act"), Outcome: asked.Get("outcome"), Outcomes: web.Choices(r.Context(), outcomesText),
		Since: cmp.Or(asked.Get("since"), now.Add(-logSince).Format(time.DateOnly)), Until: cmp.Or(asked.Get("until"), now.Format(time.DateOnly)), Acts: web.Choices(r.Context(), actsText),
	}
	export := asked.Get("export") != ""
	if export {
		if err := justProven(who, logPage); err != nil {
			return err
		}
		if err := s.decide(r.Context(), who, access.Export, access.Note{}, onto{}); err != nil {
			return err
		}
	}
	search, says, err := s.logSearch(r, view)
	if err != nil {
		return err
	}
	view.Error = says
	var rows []queries.SearchAuditRow
	if says == "" {
		if search.Patient.Valid {
			asked.Del("patient") // the entry has their id; the number would be there for longer than they may be
		}
		e := audit.Event{Act: audit.SearchLog, Patient: search.Patient.UUID, About: search.Person.UUID, Words: logWords(asked)}
		search.MaxRows = maxActs + 1
		if export {
			e.Act, search.MaxRows = audit.ExportLog, maxActsExported+1
		}
		if err := s.db.Record(r.Context(), e); err != nil {
			return err
		}
		if rows, err = s.db.SearchAudit(r.Context(), search); err != nil {
			return fmt.Errorf("search the log of acts: %w", err)
		}
	}
	if export && says == "" {
		return s.exportActs(w, r, rows)
	}
	if len(rows) > maxActs {
		rows, view.Truncated = rows[:maxActs], true
	}
	if err := s.showActs(r, &view, rows); err != nil {
		return err
	}
	view.Shell = s.shellOf(r, who, words.Say(r.Context(), "Log of acts"), web.SectionReviews)
	status := http.StatusOK
	if says != "" {
		status = http.StatusUnprocessableEntity
	}
	s.render(w, r, status, web.Log(view))
	return nil
}

// logWords is what somebody looked for, as the log has it, sealed.
func logWords(asked url.Values) string {
	var words []string
	for _, name := range []string{"person", "patient", "act", "outcome", "since", "until"} {
		if value := clip(asked.Get(name), maxQuery); value != "" {
			words = append(words, name+"="+value)
		}
	}
	return strings.Join(words, " ")
}

// logSearch finds whom a filter names; says is what of it there is not.
func (s *Server) logSearch(r *http.Request, v web.LogView) (search queries.SearchAuditParams, says string, err error) {
	search.Act, search.InVain = v.Act, v.Outcome == outcomesText[1].Value
	since, bad := time.ParseInLocation(time.DateOnly, v.Since, time.Local)
	until, worse := time.ParseInLocation(time.DateOnly, v.Until, time.Local)
	if bad != nil || worse != nil {
		return search, words.Say(r.Context(), "Give days as in 2026-11-22."), nil
	}
	search.Since, search.Until = since, until.AddDate(0, 0, 1)
	if v.Person != "" {
		p, err := s.db.AnyoneByUsername(r.Context(), v.Person)
		if errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
			return search, words.Say(r.Context(), "Nobody has this username."), nil
		}
		if err != nil {
			return search, "", err
		}
		search.Person = uuid.NullUUID{UUID: p.ID, Valid: true}
	}
	if v.Patient != "" {
		row, err := s.db.PatientByMRN(r.Context(), v.Patient)
		if errors.Is(err, store.ErrNotFound) || store.IsBadValue(err) {
			return search, words.Say(r.Context(), "No patient has this number."), nil
		}
		if err != nil {
			return search, "", err
		}
		search.Patient = uuid.NullUUID{UUID: row.Patient.ID, Valid: true}
	}
	return search, "", nil
}

// exportActs hands entries out, each with its proof. What is not signed for yet is not in it.
func (s *Server) exportActs(w http.ResponseWriter, r *http.Request, rows []queries.SearchAuditRow) error {
	if len(rows) > maxActsExported {
		return badRequest("That is more than {maxActsExported} entries. Go back, and give a shorter time.", strconv.Itoa(maxActsExported))
	}
	l, err := s.db.AuditLog(r.Context(), false)
	if errors.Is(err, store.ErrNotFound) {
		return badRequest("Nothing is signed yet. Try again in ten seconds.")
	}
	if err != nil {
		return err
	}
	var places []int64
	for _, row := range rows {
		if row.Seq >= 0 && row.Seq < l.Signed {
			places = append(places, row.Seq)
		}
	}
	slices.Sort(places)
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="acts.bundle"`)
	out, err := audit.NewBundle(w, l.Keys, true)
	if err == nil {
		err = out.Write(audit.Item{Checkpoint: l.Newest})
	}
	for _, place := range places {
		if err != nil {
			break
		}
		var one audit.Sequenced
		if one, err = l.Prove(r.Context(), place); err == nil {
			err = out.Write(audit.Item{Entry: &one})
		}
	}
	if err != nil {
		s.log.Error("bundle not whole", "err", err) // it has no end, which whoever checks it sees
		return nil
	}
	_ = out.Close() // the reader may be gone
	return nil
}
