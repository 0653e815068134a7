package crdt

func (d *Doc) check() {}
