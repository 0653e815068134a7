package server

import (
	"context"

	"github.com/clisonix/tidechart/crdt/prose"
	"github.com/clisonix/tidechart/sessions"
)

// declaredSchema returns the schema that an editor says it has: ours, an earlier one of ours, or none.
func declaredSchema(fingerprint string) (*prose.Schema, error) {
	if fingerprint == "" {
		return nil, nil
	}
	schema, ok := prose.SchemaByFingerprint(fingerprint)
	if !ok {
		return nil, sessions.ErrStaleEditor
	}
	return schema, nil
}

type schemaOutput struct {
	Fingerprint string `header:"Tidechart-Schema" doc:"What an editor that has this schema declares as the parameter schema"`
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// apiReadSchema tells what notes are made of. It is the same for everybody.
func (s *Server) apiReadSchema(context.Context, *struct{}) (*schemaOutput, error) {
	schema := prose.CurrentSchema()
	return &schemaOutput{Fingerprint: schema.Fingerprint(), ContentType: mediaJSON, Body: schema.JSON()}, nil
}

func schemaDescription() string {
	return "The nodes, marks and attributes of a note, in Tiptap's words. An editor deletes what it does not know from the " +
		"shared note. One that has this schema says so by its fingerprint, as the parameter `schema` of a socket's address or of an " +
		"edit. One that declares nothing is taken to have Tiptap's StarterKit, and only reads notes that hold more."
}
