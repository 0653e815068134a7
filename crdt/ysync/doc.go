// Package ysync reads and writes the messages that Yjs peers exchange: the
// y-protocols messages of y-websocket, and the same inside Hocuspocus's
// envelope. It encodes and decodes, nothing else, for both ends.
//
// y-websocket puts one message in a frame:
//
//	0 Sync            step (0 state vector, 1 reply, 2 update), buffer
//	1 Awareness       buffer: n × (client, clock, JSON)
//	2 Auth            0, reason of the refusal
//	3 QueryAwareness
//
// Hocuspocus puts a routing key before it, replaces Auth and adds types:
//
//	2 Auth            0 token [version] | 1 reason | 2 scope; a bare 0 asks for the token
//	4 SyncReply       as Sync; between servers
//	5 Stateless       text
//	6 BroadcastStateless  text; between servers
//	7 Close           [reason]: a client leaves without, a server closes with one;
//	                  written with one, be it empty
//	8 SyncStatus      1 saved, 0 refused
//	9 Ping, 10 Pong   the whole frame is this one byte
//
// Decoding is strict: what is unknown, too long, not UTF-8 or followed by more
// bytes is refused with a [*crdt.MalformedError]. Decoded slices alias the frame.
//
// Sources: y-protocols 1.0.7, y-websocket 3.1.0, @hocuspocus/provider 3.4 and 4.8.
package ysync
