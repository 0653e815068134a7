package web

import (
	"context"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/web/words"
)

// scriptWords is what scripts of a page say, where that is not English: say.ts reads it.
func scriptWords(ctx context.Context, scripts ...string) templ.Component {
	said := words.Of(ctx).OfScripts(scripts...)
	if len(said) == 0 {
		return templ.NopComponent
	}
	return templ.JSONScript("words", said)
}
