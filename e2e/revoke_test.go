package e2e

import "testing"

// TestRoleChangeReachesThePage: who may write no longer reads on, and sees it; who may not read any more is shown
// the door (I9). Nobody reloads anything.
func TestRoleChangeReachesThePage(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	token := s.token(t, "rivera")
	note := s.newNote(t, token)
	chen := signedIn(t, s, "chen")
	chen.allow("403 (Forbidden) ("+s.url+"/api/v1/notes/", "403 (Forbidden) ("+s.url+"/notes/") // what the page was asking for then
	chen.openNote(note)
	chen.waitStatus("saved")
	db := s.db(t)
	for _, step := range []struct{ role, state, editable string }{
		{"privacy officer", "readonly", "false"},
		{"resident", "saved", "true"},
		{"administrator", "ended", "false"},
	} {
		if _, err := db.Exec(t.Context(), `UPDATE person SET role = $1 WHERE username = 'chen'`, step.role); err != nil {
			t.Fatal(err)
		}
		chen.waitStatus(step.state)
		if editable := eval[string](chen, `document.querySelector('#note-body [role=textbox]').getAttribute('contenteditable')`); editable != step.editable {
			t.Errorf("as %s: contenteditable is %q, want %s", step.role, editable, step.editable)
		}
	}
}
