package sessions

import "runtime/debug"

// aside runs f on a stack of its own, and waits for it. What grows a stack once, as asking the database does, would
// be kept by whoever waits for messages ever after.
func aside(f func()) {
	done := make(chan *fallen, 1)
	go func() {
		var fell *fallen
		defer func() {
			if v := recover(); v != nil {
				fell = &fallen{v, debug.Stack()}
			}
			done <- fell
		}()
		f()
	}()
	if fell := <-done; fell != nil {
		panic(fell)
	}
}

// fallen is the panic of what ran aside.
type fallen struct {
	value any
	stack []byte
}

// stackOf returns the stack of a panic that has just been recovered.
func stackOf(v any) []byte {
	if f, ok := v.(*fallen); ok {
		return f.stack
	}
	return debug.Stack()
}
