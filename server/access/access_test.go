package access

import "testing"

// TestPolicy spells the whole matrix out, so that a change of policy is a change of this test.
func TestPolicy(t *testing.T) {
	acts := []Act{ReadNote, WriteNote, CreateNote, SeeBoard, ReviewSessions}
	matrix := map[Role]string{ // one letter an act, in the order above
		Attending:      "yyyyn",
		Resident:       "yyyyn",
		Nurse:          "yyyyn",
		ChargeNurse:    "yyyyn",
		Administrator:  "nnnny",
		PrivacyOfficer: "ynnyy",
		"janitor":      "nnnnn",
		"":             "nnnnn",
	}
	for role, want := range matrix {
		for i, act := range acts {
			if got := May(role, act); got != (want[i] == 'y') {
				t.Errorf("May(%q, %q) = %v", role, act, got)
			}
		}
	}
	if May(Attending, "delete hospital") {
		t.Error("an unknown act is allowed")
	}
}
