package sessions

// aside runs f on a stack of its own, and waits for it. What grows a stack once, as asking the database does, would
// be kept by whoever waits for messages ever after.
func aside(f func()) {
	panicked := make(chan any, 1)
	go func() {
		defer func() { panicked <- recover() }()
		f()
	}()
	if v := <-panicked; v != nil {
		panic(v)
	}
}
