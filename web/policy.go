package web

import "fmt"

// pagePolicy allows what pages need and nothing else: scripts that the server itself put into this answer, which its nonce
// shows, and what those import; text that becomes markup only through the policies that scripts name.
const pagePolicy = "default-src 'none'; script-src 'nonce-%s'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types %s; report-uri /csp-report"

// Who may turn text into markup. htmx does so with answers of this server, ProseMirror with what is pasted, in a document
// of its own and by its schema. Swagger UI knows nothing of it: its pages have a default policy that sanitizes.
const (
	pageTypes = "htmx ProseMirrorClipboard"
	docsTypes = "default dompurify htmx"
)

// Policy is the content security policy of an answer whose scripts carry nonce (see templ.WithNonce).
func Policy(nonce string) string { return fmt.Sprintf(pagePolicy, nonce, pageTypes) }

// DocsPolicy is that of the page [APIDocs].
func DocsPolicy(nonce string) string { return fmt.Sprintf(pagePolicy, nonce, docsTypes) }
