// The unit board: stream.ts has htmx swap the rows that are sent; this says
// when the stream has gone quiet, since a board that looks current and is not
// is worse than none.

/** Two pings of web.PingInterval, and a little for the way. */
const STALE_MS = 32_000

/** How long a dead stream is left to itself before the page is loaded anew. */
const RELOAD_MS = 90_000

class Board {
  #board: HTMLElement
  #stale: HTMLElement
  #heard = Date.now()
  #waitsSince = Date.now()

  constructor(board: HTMLElement, stale: HTMLElement) {
    this.#board = board
    this.#stale = stale
    board.addEventListener('ping', e => this.#ping(e as CustomEvent))
    board.addEventListener('htmx:sse:after:message', () => this.#hear())
    board.addEventListener('htmx:sse:close', () => this.#mark(true))
    board.addEventListener('htmx:sse:error', () => this.#mark(true))
    // In the background the stream rests; once back, it has time to resume.
    document.addEventListener('visibilitychange', () => (this.#waitsSince = Date.now()))
    setInterval(() => this.#check(), 1_000)
  }

  #hear(): void {
    this.#heard = this.#waitsSince = Date.now()
    this.#mark(false)
  }

  // A ping says: what is shown was true at this time.
  #ping(e: CustomEvent): void {
    const at = String((e.detail as { data?: unknown } | null)?.data ?? '')
    const clock = /T(\d\d:\d\d:\d\d)/.exec(at)
    const time = document.querySelector('#board-as-of time')
    if (clock && time) {
      time.setAttribute('datetime', at)
      time.textContent = clock[1]
    }
    this.#hear()
  }

  #check(): void {
    if (Date.now() - this.#heard > STALE_MS) this.#mark(true)
    // A stream that never opened is not retried by the extension, and a
    // sign-in that ended shows itself only when the page is asked for.
    if (Date.now() - this.#waitsSince > RELOAD_MS && !document.hidden) location.reload()
  }

  #mark(stale: boolean): void {
    this.#board.classList.toggle('stale', stale)
    this.#stale.hidden = !stale
  }
}

const board = document.getElementById('board')
const stale = document.getElementById('board-stale')
if (board && stale) new Board(board, stale)
