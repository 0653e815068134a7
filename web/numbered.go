package web

import (
	"context"
	"io"
	"strconv"

	"github.com/a-h/templ"

	"github.com/clisonix/tidechart/crdt/prose"
)

// numberKey is where a context counts the blocks of a note that have text.
type numberKey struct{}

// numbered renders its children with an id for each block of a note that has text, block-1 and so on, so that links lead there.
func numbered() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		children := templ.GetChildren(ctx)
		return children.Render(context.WithValue(templ.ClearChildren(ctx), numberKey{}, new(int)), w)
	})
}

// numberOf is the id of a block, if the page counts them.
func numberOf(ctx context.Context, block prose.Node) templ.Attributes {
	n, ok := ctx.Value(numberKey{}).(*int)
	if !ok {
		return nil
	}
	for _, c := range block.Content {
		if c.Type == "text" && c.Text != "" {
			*n++
			return templ.Attributes{"id": "block-" + strconv.Itoa(*n)}
		}
	}
	return nil
}
