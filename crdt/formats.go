package crdt

// Formats calls f with each format mark that u brings, whether or not it is alive anywhere. It takes time in proportion to u.
func (u *Update) Formats(f func(FormatMark)) {
	for _, s := range u.sections {
		for b := range u.blocks(s) {
			if b.ref == refFormat || b.ref == refFormatAny {
				f(readFormat(ID{b.client, uint64(b.clock)}, b.content, b.ref))
			}
		}
	}
}

// readFormat reads the content of a format mark.
func readFormat(id ID, content []byte, ref uint8) FormatMark {
	r := reader{b: content}
	m := FormatMark{ID: id, Key: string(r.str())}
	if ref == refFormat {
		m.Value = parseJSON(r.str())
	} else {
		m.Value = readAny(&r)
	}
	return m
}
