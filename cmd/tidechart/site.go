package main

import (
	"fmt"
	"net/url"

	"github.com/clisonix/tidechart/server"
	"github.com/clisonix/tidechart/server/login"
)

// siteFlags say where browsers reach the server.
type siteFlags struct {
	PublicURL string `help:"How browsers reach the server, as in https://notes.hospital.example. Passkeys belong to this name for good; without it, to whichever name a browser uses." env:"TIDECHART_PUBLIC_URL"`

	OIDCIssuer       string `name:"oidc-issuer" help:"OpenID Connect provider that says who people are, beside passkeys and passwords: its issuer URL. Needs --public-url; register its /login/provider/callback and /login/provider/logout (back-channel) there." env:"TIDECHART_OIDC_ISSUER"`
	OIDCClientID     string `name:"oidc-client-id" help:"What the provider calls this server." env:"TIDECHART_OIDC_CLIENT_ID"`
	OIDCClientSecret string `name:"oidc-client-secret" help:"What this server proves to the provider who it is by. Rather give it in the environment, where other users do not see it." env:"TIDECHART_OIDC_CLIENT_SECRET"`
	OIDCName         string `name:"oidc-name" default:"your hospital account" help:"What people call the provider: Sign in with …" env:"TIDECHART_OIDC_NAME"`
}

// atSite sets what the flags say, if it makes sense. secure says that browsers must come by HTTPS.
func (f siteFlags) atSite(c *server.Config, secure bool) (err error) {
	if c.PublicURL, err = f.site(secure); err == nil {
		c.Provider, err = f.provider(secure)
	}
	return err
}

// provider returns who says who people are, or nil if nobody does.
func (f siteFlags) provider(secure bool) (*login.Provider, error) {
	if f.OIDCIssuer == "" && f.OIDCClientID == "" && f.OIDCClientSecret == "" {
		return nil, nil
	}
	at, err := url.Parse(f.OIDCIssuer)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "https" && (secure || at.Scheme != "http"):
		return nil, fmt.Errorf("%w: --oidc-issuer is an https:// address", errUsage)
	case f.OIDCClientID == "" || f.OIDCClientSecret == "" || f.PublicURL == "":
		return nil, fmt.Errorf("%w: --oidc-issuer needs --oidc-client-id, a client secret and --public-url", errUsage)
	}
	return login.NewProvider(login.ProviderConfig{
		Issuer: f.OIDCIssuer, ClientID: f.OIDCClientID, ClientSecret: f.OIDCClientSecret, Name: f.OIDCName,
	}), nil
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
