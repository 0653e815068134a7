// Event streams: htmx swaps what they send. The extension looks for htmx where
// htmx.ts puts it; no other file imports it, for a bundle of what several share
// would run before that.
//
// A stream of notices that has gone quiet is opened anew, since nothing on the
// page would show it; boards see to theirs.

import htmx from 'htmx.org/dist/htmx.esm.js'
import './htmx.ts'
import 'htmx.org/dist/ext/hx-sse.js'

/** Two pings of web.PingInterval, and a little for the way. */
const QUIET_MS = 32_000

let heard = Date.now()

function hear(): void {
  heard = Date.now()
}

// The extension tries again by itself once it has been connected, and not if
// the first try failed.
function check(): void {
  if (document.hidden || Date.now() - heard < QUIET_MS) return
  hear()
  const box = document.querySelector('#notices[hx-sse\\:connect]')
  if (!box) return // the page was cleared, or is a board
  const fresh = box.cloneNode(true)
  box.replaceWith(fresh)
  htmx.process(fresh)
}

for (const type of ['ping', 'htmx:sse:after:message']) document.addEventListener(type, hear)
document.addEventListener('visibilitychange', hear) // in the background the stream rests
setInterval(check, 1_000)
