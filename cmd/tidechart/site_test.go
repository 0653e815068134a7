package main

import "testing"

func TestPublicURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://notes.example": "https://notes.example", "https://notes.example:8443/": "https://notes.example:8443",
		"notes.example": "", "http://notes.example": "", "https://": "", "https://notes.example/tide": "", "https://u:p@notes.example": "",
		"https://notes.example?x": "", "https://notes.example#x": "", "javascript:alert(1)": "", ":": "",
	} {
		at, err := siteFlags{PublicURL: given}.site(true)
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
	if _, err := (siteFlags{PublicURL: "http://localhost:8080"}).site(false); err != nil {
		t.Errorf("a demo: %v", err)
	}
}

func TestProviderNeedsAll(t *testing.T) {
	all := siteFlags{PublicURL: "https://notes.example", OIDCIssuer: "https://id.example", OIDCClientID: "tidechart", OIDCClientSecret: "x"}
	if p, err := all.provider(true); p == nil || err != nil {
		t.Errorf("all: %v", err)
	}
	for what, take := range map[string]func(f *siteFlags){
		"no issuer": func(f *siteFlags) { f.OIDCIssuer = "" }, "no TLS": func(f *siteFlags) { f.OIDCIssuer = "http://id.example" },
		"no client": func(f *siteFlags) { f.OIDCClientID = "" }, "no secret": func(f *siteFlags) { f.OIDCClientSecret = "" },
		"no address": func(f *siteFlags) { f.PublicURL = "" },
	} {
		some := all
		take(&some)
		if _, err := some.provider(true); err == nil {
			t.Errorf("%s: it starts", what)
		}
	}
	if p, err := (siteFlags{}).provider(true); p != nil || err != nil {
		t.Errorf("none: %v, %v", p, err)
	}
}
