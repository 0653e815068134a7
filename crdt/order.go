package crdt

import "container/heap"

// circle returns an element that structs of the update wait for in vain: each
// is at hand, in have or in the update, but some only after others that wait
// for them. No order integrates them, so that they would stay pending for ever.
// It takes n log n steps.
func (u *Update) circle(have StateVector) (ID, bool) {
	o := orderer{have: have, done: make(StateVector, len(u.sections)), waiting: make(map[ClientID]*waitlist)}
	cursors, needs := make([]cursor, len(u.sections)), make([]ID, len(u.sections))
	ready := make([]int, len(u.sections))
	for i := range u.sections {
		cursors[i] = cursor{u: u, k: i, stop: i + 1}
		cursors[i].next()
		ready[i] = i
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for c := &cursors[i]; !c.done; c.next() {
			if need, waits := o.firstMissing(&c.cur); waits {
				needs[i] = need
				o.wait(need, i)
				break
			}
			o.done[c.cur.client] = max(o.done[c.cur.client], uint64(c.cur.end()))
		}
		ready = o.wake(u.nth(i).client, ready)
	}
	for i := range cursors {
		if !cursors[i].done {
			return needs[i], true
		}
	}
	return ID{}, false
}

// An orderer knows what has been integrated, and who waits for what has not.
type orderer struct {
	have, done StateVector
	waiting    map[ClientID]*waitlist
}

func (o *orderer) firstMissing(b *block) (ID, bool) {
	if next := o.next(b.client); next < uint64(b.clock) {
		return ID{b.client, next}, true
	}
	for _, need := range [...]struct {
		is bool
		id ID
	}{{b.hasOrigin, b.origin}, {b.hasRight, b.right}, {b.parentID, b.parent}} {
		if need.is && need.id.Clock >= o.next(need.id.Client) {
			return need.id, true
		}
	}
	return ID{}, false
}

func (o *orderer) next(c ClientID) uint64 { return max(o.have[c], o.done[c]) }

func (o *orderer) wait(need ID, section int) {
	w := o.waiting[need.Client]
	if w == nil {
		w = new(waitlist)
		o.waiting[need.Client] = w
	}
	heap.Push(w, waiter{need.Clock, section})
}

// wake moves the sections that waited for what client now has to ready.
func (o *orderer) wake(client ClientID, ready []int) []int {
	w := o.waiting[client]
	for w != nil && len(*w) > 0 && (*w)[0].clock < o.next(client) {
		ready = append(ready, heap.Pop(w).(waiter).section)
	}
	return ready
}

// A waiter is a section that waits for a clock.
type waiter struct {
	clock   uint64
	section int
}

// A waitlist is a heap of waiters, the lowest clock first.
type waitlist []waiter

func (w waitlist) Len() int           { return len(w) }
func (w waitlist) Less(i, j int) bool { return w[i].clock < w[j].clock }
func (w waitlist) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *waitlist) Push(x any)        { *w = append(*w, x.(waiter)) }
func (w *waitlist) Pop() any {
	old := *w
	x := old[len(old)-1]
	*w = old[:len(old)-1]
	return x
}
