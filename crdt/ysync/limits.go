package ysync

// Limits of what a decoder accepts, in bytes unless said otherwise. The size of
// a frame, and so of updates and state vectors, is the transport's to limit.
const (
	MaxKey       = 512      // routing key of an envelope
	MaxToken     = 4 << 10  // a login token
	MaxReason    = 1 << 10  // a refusal's or a close's reason, a scope, a version
	MaxStateless = 64 << 10 // a stateless message
	MaxState     = 1 << 20  // the JSON of one peer's presence
	MaxPresences = 1 << 10  // entries in one awareness message
)
