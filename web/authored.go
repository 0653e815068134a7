package web

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
)

// writerKey is where a context says whose text is whose. It is not a mark of the text: marks are what somebody's browser
// sent.
type writerKey struct{}

// authored renders its children with the author of each piece of text.
func authored(of func(prose.Node) (Person, bool)) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		children := templ.GetChildren(ctx)
		return children.Render(context.WithValue(templ.ClearChildren(ctx), writerKey{}, of), w)
	})
}

// writerOf returns who wrote a piece of text, if the page says so.
func writerOf(ctx context.Context, text prose.Node) (Person, bool) {
	of, ok := ctx.Value(writerKey{}).(func(prose.Node) (Person, bool))
	if !ok {
		return Person{}, false
	}
	return of(text)
}
