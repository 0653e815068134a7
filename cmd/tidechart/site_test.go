package main

import "testing"

func TestPublicURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://notes.example": "https://notes.example", "https://notes.example:8443/": "https://notes.example:8443",
		"notes.example": "", "http://notes.example": "", "https://": "", "https://notes.example/tide": "", "https://u:p@notes.example": "",
		"https://notes.example?x": "", "https://notes.example#x": "", "javascript:alert(1)": "", ":": "",
	} {
		at, err := siteFlags{given}.site(true)
		switch {
		case want == "":
			if err == nil {
				t.Errorf("%s is taken", given)
			}
		case err != nil || at.String() != want:
			t.Errorf("%s is %v, %v; want %s", given, at, err, want)
		}
	}
	if at, err := (siteFlags{}).site(true); at != nil || err != nil {
		t.Errorf("nothing is %v, %v", at, err)
	}
	if _, err := (siteFlags{"http://localhost:8080"}).site(false); err != nil {
		t.Errorf("a demo: %v", err)
	}
}
