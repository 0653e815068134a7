package crdt

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"testing"
)

// plain says what a value is, as testdata/render.mjs does.
func plain(v any) any {
	switch v := v.(type) {
	case *XMLText:
		return plain(&v.Text)
	case *Text:
		return map[string]any{"delta": plainDelta(v)}
	case *Subdoc:
		return map[string]any{"doc": v.GUID}
	case *XMLElement:
		return map[string]any{"name": v.Name(), "attrs": plain(v.Attributes()), "children": plainList(v.Children())}
	case *XMLHook:
		return map[string]any{"hook": v.Name(), "map": plain(v.Values())}
	case *XMLFragment:
		return map[string]any{"children": plainList(v.Children())}
	case *Map:
		return map[string]any{"map": plain(v.Values())}
	case float64:
		if math.IsNaN(v) { // which equals nothing, not even itself
			return "NaN"
		}
		return v
	case *UnknownType:
		return map[string]any{"unknown": int(v.Ref)}
	case *Array:
		return map[string]any{"array": plainList(v.Children())}
	case []byte:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(v)}
	case int64:
		return map[string]any{"bigint": strconv.FormatInt(v, 10)}
	case Undefined:
		return map[string]any{"undefined": true}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any)
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	default:
		return v
	}
}

func plainList(cs []Child) any {
	out := make([]any, len(cs))
	for i, c := range cs {
		out[i] = plain(c.Value)
	}
	return out
}

func plainDelta(t *Text) any {
	out := []any{}
	for _, op := range t.Delta() {
		m := map[string]any{"insert": plain(op.Insert)}
		if op.Attributes != nil {
			m["attributes"] = plain(op.Attributes)
		}
		out = append(out, m)
	}
	return out
}

// sameRendering compares all that can be seen of the four test roots.
func sameRendering(t *testing.T, step int, d *Doc, want rendering) {
	t.Helper()
	for _, c := range []struct {
		root      string
		got, want any
	}{
		{"text", plainDelta(d.Text("t")), want.Delta},
		{"xml", plainList(d.XMLFragment("x").Children()), want.XML},
		{"array", plainList(d.Array("a").Children()), want.Array},
		{"map", plain(d.Map("m").Values()), want.Map},
		{"array as JSON", plain(d.Array("a").ToJSON()), want.ArrayJSON},
		{"map as JSON", plain(d.Map("m").ToJSON()), want.MapJSON},
		{"XML string", d.XMLFragment("x").String(), want.XMLString},
	} {
		// Through JSON, since yjs's side came that way.
		b, err := json.Marshal(c.got)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, c.want) {
			want, _ := json.Marshal(c.want)
			t.Fatalf("step %d: %s differs\n got %s\nwant %s", step, c.root, b, want)
		}
	}
}
