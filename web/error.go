package web

import (
	"context"
	"net/http"

	"github.com/clisonix/tidechart/web/words"
)

// errorWords are the usual words for a status: what happened, and what the
// reader can do about it.
var errorWords = map[int][2]words.Text{
	http.StatusBadRequest:            {"That request could not be read", "Go back, reload the page, and try again."},
	http.StatusUnauthorized:          {"You are not signed in", "Your sign-in has ended or never began. Sign in to go on."},
	http.StatusForbidden:             {"You may not see this", "Your role does not include it. If your work needs it, ask whoever administers Tidechart at your hospital."},
	http.StatusNotFound:              {"Nothing is here", "The address may be mistyped, or what it named is not there any more. Look for it where lists lead to it."},
	http.StatusConflict:              {"This is not as it was any more", "Go back, reload the page, and look at it again."},
	http.StatusUnprocessableEntity:   {"That could not be taken", "Go back, change what you sent, and try again."},
	http.StatusMethodNotAllowed:      {"That cannot be done here", "Go back and use the buttons of the page."},
	http.StatusGone:                  {"This record was destroyed", "Nothing can open it any more."},
	http.StatusRequestEntityTooLarge: {"That was too large", "Go back, and send less at once: a long text can be pasted in parts."},
	http.StatusTooManyRequests:       {"Too many attempts", "Nothing was done. Wait a minute, then try again."},
	http.StatusServiceUnavailable:    {"Tidechart cannot reach its records", "Nothing was changed. Try again in a minute."},
}

var otherError = [2]words.Text{"Something failed on our side", "Nothing more was changed. Try again, and tell your administrator if it happens again."}

func (v ErrorView) usual() [2]words.Text {
	if w, ok := errorWords[v.Status]; ok {
		return w
	}
	return otherError
}

func (v ErrorView) heading(ctx context.Context) string {
	if v.Heading != "" {
		return v.Heading
	}
	return words.Say(ctx, v.usual()[0])
}

func (v ErrorView) detail(ctx context.Context) string {
	if v.Detail != "" {
		return v.Detail
	}
	return words.Say(ctx, v.usual()[1])
}
