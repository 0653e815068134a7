package sessions

import "time"

// meter is a token bucket. Its clock is its caller's.
type meter struct {
	rate, burst float64 // tokens a second; tokens at most
	tokens      float64 // less than none while somebody waits
	at          time.Time
}

func newMeter(rate, seconds int, now time.Time) meter {
	burst := float64(rate * seconds)
	return meter{rate: float64(rate), burst: burst, tokens: burst, at: now}
}

// take uses up n tokens and returns how long it takes until they are there.
func (m *meter) take(now time.Time, n int) time.Duration {
	m.tokens = min(m.burst, m.tokens+m.rate*now.Sub(m.at).Seconds()) - float64(n)
	m.at = now
	if m.tokens >= 0 {
		return 0
	}
	return time.Duration(-m.tokens / m.rate * float64(time.Second))
}

// pace bounds how fast a socket is read. Whoever comes back after hours offline brings much at once: it must get
// in, and nobody else may notice. So nothing is refused for being too much; it is read later, and the kernel makes
// its sender wait. A provider that still has more to send after maxBehind has queued it keystroke by keystroke; told
// to come back, it sends all of it as one Step2, which costs one token.
//
// Owned by the socket's reading goroutine.
type pace struct {
	frames, bytes, updates meter
	behind                 time.Time // since when every message has had to wait; zero: the last one had not
}

func newPace(a Allowance, now time.Time) pace {
	return pace{
		frames:  newMeter(max(framesPerSecond, 2*a.UpdatesPerSecond), frameBurst, now),
		bytes:   newMeter(a.BytesPerSecond, byteBurst, now),
		updates: newMeter(a.UpdatesPerSecond, updateBurst, now),
	}
}

// errTooFast ends a socket that has been behind for too long.
var errTooFast = &CloseError{Code: closeTryLater, Reason: "too many edits at once; come back with all of them in one"}

// take accounts for a message of that many bytes, some of them updates, and returns how long its sender must wait
// before the next one is read, or that it must come back.
func (p *pace) take(now time.Time, bytes, updates int) (time.Duration, error) {
	bytes = min(bytes, MaxFrame) // a larger Step2 is the one message of who was away, and not what is too much
	wait := max(p.frames.take(now, 1), p.bytes.take(now, bytes), p.updates.take(now, updates))
	switch {
	case wait == 0:
		p.behind = time.Time{}
	case p.behind.IsZero():
		p.behind = now
	case now.Sub(p.behind) > maxBehind:
		return 0, errTooFast
	}
	return wait, nil
}
