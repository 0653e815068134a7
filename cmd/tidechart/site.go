package main

import (
	"fmt"
	"net/url"
)

// siteFlags say where browsers reach the server.
type siteFlags struct {
	PublicURL string `help:"How browsers reach the server, as in https://notes.hospital.example. Passkeys belong to this name for good; without it, to whichever name a browser uses." env:"TIDECHART_PUBLIC_URL"`
}

// site returns the address, or nil if none is given.
func (f siteFlags) site(secure bool) (*url.URL, error) {
	if f.PublicURL == "" {
		return nil, nil
	}
	at, err := url.Parse(f.PublicURL)
	if err != nil || at.Host == "" || at.User != nil || at.Path != "" && at.Path != "/" || at.RawQuery != "" || at.Fragment != "" ||
		at.Scheme != "https" && (secure || at.Scheme != "http") {
		return nil, fmt.Errorf("%w: --public-url is https:// and a name, without a path", errUsage)
	}
	return &url.URL{Scheme: at.Scheme, Host: at.Host}, nil
}
