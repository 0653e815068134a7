package prose_test

import (
	"fmt"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/prose"
)

// A note is XML in the fragment "default"; every span of it has an author.
func Example() {
	d := crdt.New("patient-123")
	_, err := d.Transact(7, func(tx *crdt.Txn) {
		line := crdt.NewXMLText("Afebrile.")
		d.XMLFragment("default").Push(tx,
			crdt.NewXMLElement("heading", map[string]any{"level": 2}, crdt.NewXMLText("Assessment")),
			crdt.NewXMLElement("paragraph", nil, line))
		line.Format(tx, 0, 8, map[string]any{"bold": map[string]any{}})
	})
	if err != nil {
		fmt.Println(err)
	}
	note := prose.Read(d.XMLFragment("default"))
	fmt.Println(prose.Markdown(note))
	fmt.Println("author:", note.Content[1].Content[0].Author)
	// Output:
	// ## Assessment
	//
	// **Afebrile**.
	// author: 7
}
