package server

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/server/access"
	"github.com/clisonix/tidechart/web"
	"github.com/clisonix/tidechart/web/words"
)

// What entries of the log of acts say more, in words of the program, is said here in those of people. The lists are bounded: what is in none of
// them is shown as it is.

// codeLabels are what stands before "=" in a code.
var codeLabels = map[string]words.Text{
	"kind": "kind of note", "unit": "unit", "bed": "bed", "beds": "beds", "role": "role", "state": "state", "relation": "relation", "class": "class", "years": "years",
	"before": "before that", "until": "until", "reason": "reason", "finding": "finding", "copy": "copy", "seq": "from edit", "head": "up to edit", "over": "instead of edit",
	"epoch": "time that it was held", "n": "number", "rev": "change", "notes": "notes", "patients": "patients", "held": "held", "keys": "keys", "key": "key", "by": "by",
	"request": "request", "asked": "asked for by", "approved": "approved by", "hold": "hold", "run": "run", "token": "token", "recovery": "recovery key", "entries": "entries",
	"entry": "entry", "acts": "acts", "updates": "updates", "had": "had", "has": "has", "decisions": "decisions", "holds": "holds", "due": "due", "begun": "to be done",
	"wrapped": "wrapped", "bad": "not opened", "set-aside": "set aside", "details": "with details", "restricted": "restricted record", "suspended": "suspended",
	"supervisor": "works under", "record": "own record", "join": "joined the team", "leave": "left the team",
}

// codeHashes stand before what says nothing to people.
var codeHashes = []string{"chain", "proof", "mark", "statement"}

// codePhrases are what stands in a code by itself.
var codePhrases = map[string]words.Text{
	"page": "on a page", "editor": "in the editor", "api": "over the API", "history": "as it was once", "glass": "with broken glass", "print": "on paper",
	"note.pdf": "as a PDF", "note.html": "as HTML", "note.md": "as Markdown", "note.txt": "as plain text", "note.json": "as a signed bundle", "bundle": "the bundle itself",
	"done": "done", "not done": "not done after all", "cut off": "noticed late", "as it was": "as it was before", "begins": "the first", "at first": "as it was at first",
	"added": "added", "changed": "changed", "removed": "removed", "identity": "who they are", "name": "the name", "ends": "ended", "all notes": "all notes", "too late": "too late",
	"password": "password", "code": "code from an app", "codes": "code from an app", "passkey": "passkey", "provider": "account elsewhere", "invitation": "invitation",
	"themselves": "by themselves", "unused": "nobody used it", "one of theirs": "one of their own", "all others": "all their others", "at the provider": "at the provider",
	"recovery codes": "new recovery codes", "app added": "app for codes added", "app removed": "app for codes removed", "passkey added": "passkey added", "passkey removed": "passkey removed",
	"freeze-over": "the time to sign was over", "frozen": "somebody else was about to sign", "signed": "signed already", "unsigned": "not signed",
	"signed-before": "signed by them before", "no-cosign": "waits for no other signature", "blanks": "*** were left", "suggestions": "suggestions were left",
	"rights": "what they may do had changed", "remark": "what was said with it cannot stand there", "too-large": "too large", "whole": "all of it",
}

// codeNames are names within codes that have words in the language of who reads. Those of package access are what refusals are made of.
var codeNames = []words.Text{
	"see patient", "read note", "write note", "create note", "sign note", "cosign note", "witness note", "amend note", "print note", "export note", "break the glass",
	"see board", "review sessions", "see reviews", "close review", "see accesses", "export", "see people", "administer", "follow accesses", "hold", "ask to destroy",
	"approve destroying", "see system", "use phrases", "set phrases", "see wall", "change bedside", "nudge", "receive note",
	"undecided", "allowed", "not this role", "not this kind of note", "no relation", "restricted record", "own record", "signed", "being signed", "sign-in not fresh",
	"not what the token is for", "destroyed", "draft", "review", "none", "true", "false",
}

// codeText is what an entry's code says to people, in their language.
func codeText(ctx context.Context, code string) string {
	if act, reason, refused := strings.Cut(code, ": "); refused && slices.Contains(codeNames, words.Text(act)) {
		return words.Say(ctx, "{act}: {reason}", web.Named(ctx, act), web.Named(ctx, reason))
	}
	code, ties := cutTies(code)
	var parts, phrase []string
	say := func() {
		if len(phrase) > 0 {
			parts = append(parts, codePhrase(ctx, strings.Join(phrase, " ")))
			phrase = nil
		}
	}
	for word := range strings.FieldsSeq(code) {
		name, value, has := strings.Cut(word, "=")
		label, known := codeLabels[name]
		switch {
		case has && slices.Contains(codeHashes, name):
			continue
		case has && known:
			say()
			parts = append(parts, words.Say(ctx, "{label}: {value}", words.Say(ctx, label), codeValue(ctx, name, value)))
		default:
			phrase = append(phrase, word)
		}
	}
	say()
	if ties != "" {
		parts = append(parts, words.Say(ctx, "by right of {ties}", web.NamedAll(ctx, ties)))
	}
	return strings.Join(parts, ", ")
}

// cutTies takes what linked somebody to a patient from the end of a code, if it says so.
func cutTies(code string) (rest, ties string) {
	i := strings.LastIndex(code, " by ")
	if i < 0 {
		return code, ""
	}
	ties = code[i+len(" by "):]
	if access.TiesOf(strings.Split(ties, ", ")).String() != ties {
		return code, ""
	}
	return code[:i], ties
}

// howMany matches how many there were of something.
var howMany = regexp.MustCompile(`^(\d+) (found|seen)$`)

// codePhrase is a part of a code that has no "=".
func codePhrase(ctx context.Context, phrase string) string {
	if text, known := codePhrases[phrase]; known {
		return words.Say(ctx, text)
	}
	if m := howMany.FindStringSubmatch(phrase); m != nil {
		n, _ := strconv.Atoi(m[1])
		if m[2] == "seen" {
			return words.Count(ctx, n, "{n} seen", "{n} seen")
		}
		return words.Count(ctx, n, "{n} found", "{n} found")
	}
	return phrase
}

// codeValue is what stands behind "=".
func codeValue(ctx context.Context, name, value string) string {
	switch name {
	case "kind":
		return web.Named(ctx, kindName(value))
	case "role":
		return web.Named(ctx, strings.ReplaceAll(value, "-", " "))
	case "reason":
		for _, of := range [][]web.Option{glassReasons, shredReasons} {
			if text := choiceText(ctx, of, value); text != "" {
				return text
			}
		}
	case "until":
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return web.Date(ctx, at.Local()) + at.Local().Format(" 15:04")
		}
	}
	if id, err := uuid.Parse(value); err == nil {
		return id.String()[:8]
	}
	return web.Named(ctx, value)
}
