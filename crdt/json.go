package crdt

import "encoding/json"

func appendJSONString(out, any []byte) []byte { return appendBytes(out, any) }

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
