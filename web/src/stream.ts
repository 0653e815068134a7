// Event streams: htmx swaps what they send. The extension looks for htmx where
// htmx.ts puts it; no other file imports it, for a bundle of what several share
// would run before that.
//
// A stream that has gone quiet is opened anew, in place: however long a network
// is away, nobody has to load the page again.

import htmx from 'htmx.org/dist/htmx.esm.js'
import './htmx.ts'
import 'htmx.org/dist/ext/hx-sse.js'

/** Two pings of web.PingInterval, and a little for the way. */
const QUIET_MS = 32_000

/** What the extension keeps with an element, as far as it is used here. */
interface Streaming extends Element {
  _htmx?: { sse?: { reader?: ReadableStreamDefaultReader | null; delayCanceller?: (() => void) | null; config?: { pauseOnBackground?: boolean } } }
}

let heard = Date.now()

function hear(): void {
  heard = Date.now()
}

// The extension tries again by itself once it has been connected, if it notices
// that the connection broke; and not if the first try failed.
function check(): void {
  const box = document.querySelector<Streaming>('[hx-sse\\:connect]')
  if (!box) return // the page was cleared
  const stream = box._htmx?.sse
  if ((document.hidden && stream?.config?.pauseOnBackground !== false) || Date.now() - heard < QUIET_MS) return
  hear()
  if (stream) {
    stream.delayCanceller?.()
    void stream.reader?.cancel()
    return
  }
  const fresh = box.cloneNode(true)
  box.replaceWith(fresh)
  htmx.process(fresh)
}

for (const type of ['ping', 'htmx:sse:after:message']) document.addEventListener(type, hear)
document.addEventListener('visibilitychange', hear) // in the background most streams rest
setInterval(check, 1_000)
