// Automatic logoff. The server ends a login that no person has used for some
// minutes; this page tells it of input, warns before the end, and clears itself.
// Nothing is kept in the browser: windows of one login talk to each other.

import { say, sayCount } from './say.ts'

/** What counts as a person's doing. */
const INPUT = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'] as const

/** How long before the server's end a page ends itself, to send what is unsaved. */
const LEAD_MS = 3_000

/** How long before that a page with something unsaved clears its screen, and
 *  goes on sending: at most, and at most half of the time of the warning. */
const HOLD_MS = 30_000

/** How long after its end a page may go on sending what is unsaved. */
const FLUSH_MS = 2_500

/** How long after a refusal a page asks again before it believes it: whoever
 *  proves again who they are gets a new secret, and what was on its way had
 *  the old one. */
const RENEWED_MS = 400

/** How long the server is waited for. */
const PATIENCE_MS = 4_000

/** How often the end of a login is looked for that another window is ending. */
const AGAIN_MS = 500
const AGAIN_TIMES = 20

/** Seconds before the end at which the time left is read out. */
const SAID = [60, 30, 10]

/** What the windows of a browser tell each other. */
interface Word {
  /** Whose window it is. */
  person: string
  /** When their login ends; it has ended already if there is none. */
  ends?: number
  /** Why it has ended, for the sign-in page. */
  why?: string
}

/** What the server says of a login. */
interface Left {
  /** Nobody is signed in without it. */
  person?: string
  left: number
}

/** What a page holds that must not outlive the login. */
interface Holding {
  /** How many changes are not saved. */
  unsaved(): number
  /** Takes it off the page at once, waits until then for what is unsaved, drops it, and says how much was not saved. */
  clear(until: number): Promise<number>
}

const held: Holding[] = []

/** Has something cleared when the login ends. */
export function onLogoff(holding: Holding): void {
  held.push(holding)
}

function unsaved(): number {
  return held.reduce((n, h) => n + h.unsaved(), 0)
}

/** When this page signs out if the server hears of no input until then. */
export function loginEnds(): number | undefined {
  return login?.ends
}

/** Looks whether the login has ended, because there is reason to think so. */
export function checkLogin(): void {
  void login?.check()
}

class Login {
  #dialog: HTMLDialogElement
  #person: string
  #warn: number
  #ends: number
  #over = false
  #reportedAt = 0
  #pending: ReturnType<typeof setTimeout> | undefined
  #askedAt = 0
  #said = Infinity
  #channel = new BroadcastChannel('login')

  constructor(dialog: HTMLDialogElement) {
    this.#dialog = dialog
    this.#person = dialog.dataset.person ?? ''
    this.#warn = Number(dialog.dataset.warn)
    this.#ends = Date.now() + Number(dialog.dataset.left) - LEAD_MS
    for (const type of INPUT) window.addEventListener(type, e => e.isTrusted && this.#input(), { capture: true, passive: true })
    window.addEventListener('pagehide', e => this.#hidden(e))
    document.addEventListener('visibilitychange', () => this.#tick())
    this.#channel.addEventListener('message', e => this.#told(e.data as Word))
    this.#button('logoff-stay', () => void this.#report())
    this.#button('logoff-leave', () => this.#signOut()?.requestSubmit())
    // Escape is an answer, too.
    dialog.addEventListener('cancel', e => {
      e.preventDefault()
      void this.#report()
    })
    this.#signOut()?.addEventListener('submit', () => this.#tell())
    setInterval(() => this.#tick(), 1_000)
    this.#tell(this.#ends) // whoever's windows there may still be
  }

  get ends(): number {
    return this.#ends
  }

  /** Asks the server what is left. */
  async check(): Promise<void> {
    this.#askedAt = Date.now()
    await this.#ask(look())
  }

  #button(id: string, act: () => void): void {
    document.getElementById(id)?.addEventListener('click', act)
  }

  #signOut(): HTMLFormElement | null {
    return document.querySelector('form[action="/logout"]')
  }

  #tell(ends?: number, why?: string): void {
    this.#channel.postMessage({ person: this.#person, ends, why } satisfies Word)
  }

  #told(word: Word): void {
    const mine = word.person === this.#person
    if (mine && word.ends !== undefined) this.#lasts(word.ends)
    // Ours is over, or somebody else has begun.
    else if (mine || word.ends !== undefined) void this.#end(undefined, word.why)
  }

  // Input is told soon, and then now and then. Once the warning is there, only
  // an answer to it counts: a cuff on the keyboard is nobody.
  #input(): void {
    if (this.#dialog.open || this.#over) return
    const wait = this.#reportedAt + this.#warn / 2 - Date.now()
    if (wait <= 0) void this.#report()
    else this.#pending ??= setTimeout(() => void this.#report(), wait)
  }

  async #report(): Promise<void> {
    clearTimeout(this.#pending)
    this.#pending = undefined
    this.#reportedAt = Date.now()
    this.#problem('')
    const body = new URLSearchParams({ note: document.getElementById('note')?.dataset.note ?? '' })
    const answered = await this.#ask(fetch('/login/input', { method: 'POST', body, keepalive: true, signal: AbortSignal.timeout(PATIENCE_MS) }))
    if (!answered || !this.#dialog.open || this.#over) return
    this.#problem(say('You have been signed in for as long as one sign-in lasts. Sign in again to go on.'))
  }

  /** Acts on what the server says of the login, and returns whether it did. */
  async #ask(asked: Promise<Response>): Promise<boolean> {
    let left: Left | undefined
    try {
      let answer = await asked
      if (answer.status === 401) {
        await pause(RENEWED_MS)
        answer = await look()
      }
      if (answer.ok) left = (await answer.json()) as Left
      else if (answer.status !== 401) throw new Error(`status ${answer.status}`)
    } catch {
      if (this.#dialog.open) this.#problem(say('The server cannot be reached. Trying again may help.'))
      return false // the page's own clock goes on
    }
    // Nobody is signed in here, or somebody else.
    if (left?.person !== this.#person) {
      void this.#end()
      return true
    }
    const ends = Date.now() + left.left - LEAD_MS
    this.#lasts(ends)
    this.#tell(ends)
    return true
  }

  #lasts(ends: number): void {
    this.#ends = ends
    if (this.#left() > this.#warn) this.#dialog.close()
  }

  // For how long the page goes on showing what it shows.
  #left(): number {
    const hold = unsaved() > 0 ? Math.min(HOLD_MS, this.#warn / 2) : 0
    return this.#ends - hold - Date.now()
  }

  #tick(): void {
    if (this.#over) return
    const left = this.#left()
    if (left <= 0) return void this.#unused(this.#ends - Date.now() > -LEAD_MS)
    if (left > this.#warn) return
    if (!this.#dialog.open) {
      // Another window, or another machine's clock, may know better.
      if (Date.now() - this.#askedAt > this.#warn / 2) void this.check().then(() => this.#left() <= this.#warn && this.#open())
      return
    }
    this.#count(Math.ceil(left / 1_000))
  }

  #open(): void {
    if (this.#dialog.open || this.#over) return
    this.#said = Infinity
    const n = unsaved()
    this.#problem(n > 0 ? sayCount(n, '{n} change on this page is not saved yet.', '{n} changes on this page are not saved yet.') : '')
    this.#dialog.showModal()
    this.#count(Math.ceil(this.#left() / 1_000))
  }

  #count(seconds: number): void {
    const shown = document.getElementById('logoff-left')
    if (shown) shown.textContent = `${seconds} s`
    const due = SAID.filter(s => seconds <= s).at(-1)
    const said = document.getElementById('logoff-said')
    if (!said || due === undefined || due >= this.#said) return
    this.#said = due
    said.textContent = say('Signing out in {seconds} seconds', seconds)
  }

  #problem(text: string): void {
    const box = document.getElementById('logoff-problem')
    if (box && box.textContent !== text) box.textContent = text
  }

  // What was pressed last on this page is told before it goes. A page that the
  // browser might show again is blank until it has been loaded anew.
  #hidden(e: PageTransitionEvent): void {
    if (this.#pending !== undefined && !this.#over) void this.#report()
    if (e.persisted) document.documentElement.hidden = true
  }

  // Nobody was there. A page that notices late, since its window slept, says
  // nothing to the server: somebody may have signed in again.
  async #unused(inTime: boolean): Promise<void> {
    await this.#end(inTime ? () => this.#logOff() : () => this.#endedElsewhere(), 'unused')
  }

  // Other windows may have to send something, too.
  async #logOff(): Promise<void> {
    this.#tell(undefined, 'unused')
    await pause(LEAD_MS - AGAIN_MS)
    const body = new URLSearchParams({ unused: '1', person: this.#person })
    const signal = AbortSignal.timeout(PATIENCE_MS)
    await fetch('/logout', { method: 'POST', body, redirect: 'manual', signal }).catch(() => undefined) // the server ends it by itself
  }

  async #end(login = () => this.#endedElsewhere(), why?: string): Promise<void> {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#pending)
    const due = Math.max(this.#ends, Date.now())
    const cleared = held.map(h => h.clear(due + FLUSH_MS))
    clearScreen()
    if (why === 'unused' && !(await this.#remains(due))) {
      await Promise.all(cleared)
      location.reload() // somebody is there after all, in another window
      return
    }
    const ended = login()
    const lost = (await Promise.all(cleared)).reduce((n, m) => n + m, 0)
    await ended
    const to = new URL('/login', location.href)
    if (why) to.searchParams.set('ended', why)
    if (lost > 0) to.searchParams.set('unsaved', String(lost))
    location.replace(to)
  }

  // Waits for the end that was due, and returns whether it still is: a page
  // with something unsaved clears its screen before.
  async #remains(due: number): Promise<boolean> {
    while (Date.now() < due && this.#ends <= due) await pause(AGAIN_MS / 5)
    return this.#ends <= due
  }

  // Waits until the server has heard of it: the sign-in page would lead back.
  async #endedElsewhere(): Promise<void> {
    for (let i = 0; i < AGAIN_TIMES; i++) {
      const answer = await look().catch(() => undefined)
      const left = answer?.ok ? ((await answer.json()) as Left) : undefined
      if (left && left.person !== this.#person) return
      await pause(AGAIN_MS)
    }
  }
}

/** Asks the server what is left of the login. */
function look(): Promise<Response> {
  return fetch('/login/left', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) })
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

// clearScreen leaves nothing of the page but that it was cleared.
function clearScreen(): void {
  const instead = document.getElementById('signed-out') as HTMLTemplateElement | null
  document.title = say('Signed out – Tidechart')
  document.body.replaceChildren(...(instead ? [instead.content.cloneNode(true)] : []))
}

// A page from the back-forward cache may be somebody else's by now.
window.addEventListener('pageshow', e => {
  if (e.persisted) location.reload()
})

const dialog = document.getElementById('logoff')
const login = dialog instanceof HTMLDialogElement ? new Login(dialog) : undefined
