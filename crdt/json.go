package crdt

import (
	"encoding/json"
	"math"
	"strconv"
)

// checkJSON refuses s if it is not JSON or nests deeper than maxDepth; at is
// where s was read.
func checkJSON(r *reader, s []byte, at int) {
	if r.err != nil {
		return
	}
	switch string(s) { // what format marks nearly always hold
	case "null", "true", "{}":
		return
	}
	if jsonDepth(s) > maxDepth {
		r.failAt("value nested deeper than 32", at)
		return
	}
	if !json.Valid(s) {
		r.failAt("value is not JSON", at)
	}
}

// jsonDepth returns how deep brackets nest in s outside strings.
func jsonDepth(s []byte) (deepest int) {
	depth, inString := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// appendJSONString appends a validated Any as JSON.stringify would write it,
// with its length before it.
func appendJSONString(out, v []byte) []byte {
	return appendBytes(out, appendJSON(nil, &reader{b: v}))
}

func appendJSON(b []byte, r *reader) []byte {
	switch tag := r.b[r.i]; tag {
	case anyObject:
		r.i++
		return appendJSONObject(b, r)
	case anyArray:
		r.i++
		b = append(b, '[')
		for k := range r.count(1) {
			if k > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, r)
		}
		return append(b, ']')
	}
	switch v := readAny(r).(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		return appendJSONNumber(b, v)
	case int64: // JSON.stringify throws; a number loses least
		return appendJSONNumber(b, float64(v))
	case string:
		return appendQuoted(b, v)
	case []byte: // a Uint8Array is an object of its indexes
		b = append(b, '{')
		for i, c := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendInt(append(b, '"'), int64(i), 10), '"', ':')
			b = strconv.AppendInt(b, int64(c), 10)
		}
		return append(b, '}')
	default: // null, and undefined where JSON must have something
		return append(b, "null"...)
	}
}

func appendJSONObject(b []byte, r *reader) []byte {
	b = append(b, '{')
	first := true
	for range r.count(2) {
		key := r.str()
		if r.b[r.i] == anyUndefined {
			r.i++
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendJSON(append(appendQuoted(b, string(key)), ':'), r)
	}
	return append(b, '}')
}

// appendJSONNumber writes f as JavaScript does.
func appendJSONNumber(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	if f == 0 {
		return append(b, '0')
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') { // e-07 is e-7
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// appendQuoted writes s as JSON.stringify does: unlike encoding/json it leaves
// <, >, &, U+2028 and U+2029 alone.
func appendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			if c < 0x20 {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}

// appendJSONAsAny appends validated JSON as the Any of what JSON.parse returns.
func appendJSONAsAny(out, s []byte) []byte {
	p := jsonReader{s: s}
	return p.value(out)
}

// A jsonReader walks validated JSON.
type jsonReader struct {
	s []byte
	i int
}

func (p *jsonReader) space() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '\n' || p.s[p.i] == '\r') {
		p.i++
	}
}

// next returns the byte after white space without moving past it.
func (p *jsonReader) next() byte {
	p.space()
	return p.s[p.i]
}

func (p *jsonReader) value(out []byte) []byte {
	switch c := p.next(); c {
	case '{':
		return p.many(append(out, anyObject), '}', true)
	case '[':
		return p.many(append(out, anyArray), ']', false)
	case '"':
		return appendString(append(out, anyString), p.str())
	case 't':
		p.i += len("true")
		return append(out, anyTrue)
	case 'f':
		p.i += len("false")
		return append(out, anyFalse)
	case 'n':
		p.i += len("null")
		return append(out, anyNull)
	}
	start := p.i
	for p.i < len(p.s) && (p.s[p.i] >= '0' && p.s[p.i] <= '9' || p.s[p.i] == '-' || p.s[p.i] == '+' || p.s[p.i] == '.' || p.s[p.i]|0x20 == 'e') {
		p.i++
	}
	f, _ := strconv.ParseFloat(string(p.s[start:p.i]), 64) // out of range is ±Inf, as in JSON.parse
	return appendNumber(out, f)
}

// many reads members of an object or elements of an array up to end.
func (p *jsonReader) many(out []byte, end byte, keyed bool) []byte {
	p.i++
	var body []byte
	n := uint64(0)
	for p.next() != end {
		if p.s[p.i] == ',' {
			p.i++
		}
		if keyed {
			p.space()
			body = appendString(body, p.str())
			p.next() // the colon
			p.i++
		}
		body = p.value(body)
		n++
	}
	p.i++
	return append(appendUint(out, n), body...)
}

// str reads a string. Half a surrogate pair becomes U+FFFD.
func (p *jsonReader) str() string {
	start := p.i
	for p.i++; p.s[p.i] != '"'; p.i++ {
		if p.s[p.i] == '\\' {
			p.i++
		}
	}
	p.i++
	var s string
	if err := json.Unmarshal(p.s[start:p.i], &s); err != nil {
		panic("crdt: validated JSON refused: " + err.Error())
	}
	return s
}

// parseJSON decodes validated JSON into Go, as readAny does.
func parseJSON(s []byte) any {
	return readAny(&reader{b: appendJSONAsAny(make([]byte, 0, len(s)+8), s)})
}
