package sessions

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clisonix/tidechart/crdt"
	"github.com/clisonix/tidechart/crdt/ysync"
)

// maxClocks bounds what a session remembers of clients that left: their clocks, and whose they were.
const maxClocks = 2 * MaxReserved

// presence is what one client shows of itself.
type presence struct {
	peer  *Peer
	clock uint64    // as the server sends it
	state []byte    // JSON, stamped
	since time.Time // it was shown
}

// stamped is the only form of a presence state that anyone is sent: who it is comes from the login.
type stamped struct {
	User   stampedUser `json:"user"`
	Cursor *cursor     `json:"cursor"`
}

type stampedUser struct {
	ID         PersonID `json:"id"`
	Name       string   `json:"name"`
	Role       string   `json:"role"`
	Color      string   `json:"color"`
	ColorIndex int      `json:"colorIndex"`
}

// cursor is a selection between two Yjs relative positions, the only form that editors read without failing.
type cursor struct {
	Anchor *relativePosition `json:"anchor"`
	Head   *relativePosition `json:"head"`
}

// relativePosition is Yjs's RelativePosition as JSON.
type relativePosition struct {
	Type  *relativeID `json:"type"`
	TName *string     `json:"tname"`
	Item  *relativeID `json:"item"`
	Assoc int         `json:"assoc"`
}

type relativeID struct {
	Client crdt.ClientID `json:"client"`
	Clock  uint64        `json:"clock"`
}

// stamp keeps the cursor of a client's own state, if it is one, and takes everything else from its login.
func stamp(who Author, state []byte) ([]byte, error) {
	var claimed struct {
		Cursor json.RawMessage `json:"cursor"`
	}
	if err := json.Unmarshal(state, &claimed); err != nil {
		return nil, err
	}
	var at *cursor
	if err := json.Unmarshal(claimed.Cursor, &at); err != nil || at != nil && (at.Anchor == nil || at.Head == nil) {
		at = nil
	}
	return json.Marshal(stamped{
		User:   stampedUser(who),
		Cursor: at,
	})
}

// announce takes what a peer's client says of presence. A peer speaks for one client, the first one it names;
// what it repeats of others is dropped. Of what it says in quick succession only the newest is looked at.
func (s *Session) announce(p *Peer, said []ysync.Presence) {
	for _, one := range said {
		switch {
		case p.named && one.Client != p.client:
		case p.named && !one.Gone() && time.Since(p.heardAt) < presenceEvery:
			p.unheard = &one
			s.unheard[p] = struct{}{}
			s.armBeat(beatEvery - min(beatEvery, time.Since(s.shownAt)))
		default:
			p.unheard = nil
			s.hear(p, one)
		}
	}
}

// hear takes one state of a peer's client.
func (s *Session) hear(p *Peer, one ysync.Presence) {
	known := s.presence[one.Client]
	if known != nil && known.peer != p && (one.Gone() || known.peer.author.ID != p.author.ID) {
		return // another's; but somebody who reconnects takes over their own
	}
	if one.Gone() {
		if known != nil {
			s.dropPresence(p)
		}
		return
	}
	if len(one.State) > maxStateBytes || one.Clock > maxPresenceClock || !s.reserve(one.Client, p.author.ID) {
		return
	}
	state, err := stamp(p.author, one.State)
	if err != nil {
		return // JSON, but not a state
	}
	if known != nil && known.peer != p {
		known.peer.named = false
	}
	if _, written := s.writers[one.Client]; !p.named && !written && p.mayWrite() {
		s.recordShown(p, one.Client)
	}
	p.named, p.client, p.heardAt = true, one.Client, time.Now()
	if known != nil && known.peer == p && bytes.Equal(known.state, state) && p.heardAt.Sub(known.since) < sameEvery {
		return // y-tiptap says where the caret is with each edit that comes, were it of somebody else
	}
	now := &presence{peer: p, clock: s.tick(one.Client, one.Clock), state: state, since: p.heardAt}
	s.presence[one.Client] = now
	s.show(shown{ysync.Presence{Client: one.Client, Clock: now.clock, State: state}, &one, p})
}

// reserve keeps a client id for whoever shows it first: from then on others know it, and could write under it
// before its owner has (I3). It reports false if the id is somebody else's.
func (s *Session) reserve(client crdt.ClientID, person PersonID) bool {
	if owner, known := s.ownerOf(client); known {
		return owner == person
	}
	if len(s.reserved) >= maxClocks {
		maps.DeleteFunc(s.reserved, func(id crdt.ClientID, _ PersonID) bool { return s.presence[id] == nil })
	}
	s.reserved[client] = person
	return true
}

// ownerOf returns who wrote under a client id first, or will: who showed it.
func (s *Session) ownerOf(client crdt.ClientID) (owner PersonID, known bool) {
	if owner = s.writers[client]; owner != uuid.Nil {
		return owner, true
	}
	owner, known = s.reserved[client]
	return owner, known
}

// tick returns the clock to send a client's next state under. It never falls behind what others have seen, so
// that a client that left and returns with an older clock is shown at once.
func (s *Session) tick(client crdt.ClientID, claimed uint64) uint64 {
	if len(s.clocks) >= maxClocks {
		clear(s.clocks)
	}
	s.clocks[client] = max(claimed, s.clocks[client]+1)
	return s.clocks[client]
}

// dropPresence tells everyone that p's client is gone.
func (s *Session) dropPresence(p *Peer) {
	known := s.presence[p.client]
	if !p.named || known == nil || known.peer != p {
		return
	}
	delete(s.presence, p.client)
	s.show(shown{ysync.Presence{Client: p.client, Clock: s.tick(p.client, 0), State: []byte("null")}, nil, p})
}

// sendPresence sends all states to one peer.
func (s *Session) sendPresence(p *Peer) {
	var all []ysync.Presence
	for client, one := range s.presence {
		if one.peer != p {
			all = append(all, ysync.Presence{Client: client, Clock: one.clock, State: one.state})
		}
	}
	if len(all) > 0 {
		p.send(p.wire.awareness(ysync.AppendAwareness(nil, all)))
	}
}

// publish tells the hub who is here.
func (s *Session) publish() {
	people := make([]Presence, 0, len(s.peers))
	for _, p := range s.peers {
		who := p.author
		i := slices.IndexFunc(people, func(one Presence) bool { return one.Author.ID == who.ID })
		if i < 0 {
			i = len(people)
			people = append(people, Presence{Author: who})
		}
		people[i].CanWrite = people[i].CanWrite || p.mayWrite()
	}
	slices.SortFunc(people, func(a, b Presence) int { return strings.Compare(a.Author.Name, b.Author.Name) })
	if !slices.Equal(people, s.published) {
		s.published = people
		s.hub.publish(s.note, people)
	}
}
