// The one status of a note page. It says Saved only when every edit made here
// is committed, and says plainly when it is not.

import type { Ledger } from './saved.ts'

/** How the note stands with the server. */
export type Link =
  | { is: 'connecting' } // never in sync yet
  | { is: 'live' }
  | { is: 'offline' }
  | { is: 'ended'; why: string } // will not be tried again

export type State = 'connecting' | 'saving' | 'saved' | 'offline' | 'readonly' | 'refused' | 'ended'

export interface Status {
  state: State
  text: string
  /** What must not be missed: it stays on the page until it is over. */
  alert?: string
}

// offline says until when it is safe to go on: nothing is kept in the browser.
function offline(ends?: number): string {
  const until = ends === undefined ? '' : ` Your sign-in ends at ${clock(new Date(ends))} if the connection is not back: what is not sent by then is lost, so copy it in time.`
  return `You are offline. You can go on writing: it stays on this page and is sent when the connection is back.${until} Do not close the page.`
}

function changes(n: number): string {
  return n === 1 ? '1 change' : `${n} changes`
}

/** Derives the status from the facts. savedAt is the time of the last answer, ends that of the login's end; waits says that the server
 *  has what is not saved, and takes it when somebody who is about to sign lets go of the note. */
export function status(ledger: Pick<Ledger, 'unsaved' | 'refused'>, link: Link, editable: boolean, savedAt?: Date, ends?: number, waits = false): Status {
  const { unsaved, refused } = ledger
  const lost = unsaved > 0 ? ` ${changes(unsaved)} on this page ${unsaved === 1 ? 'is' : 'are'} not saved: copy what you need.` : ''
  if (link.is === 'ended') return { state: 'ended', text: unsaved > 0 ? `Not saved: ${changes(unsaved)}` : 'Disconnected', alert: link.why + lost }
  if (refused > 0) {
    return { state: 'refused', text: `Not saved: ${changes(unsaved)}`, alert: `The server refused ${changes(refused)}.${lost} Then reload the page.` }
  }
  if (link.is === 'connecting') return { state: 'connecting', text: 'Connecting…' }
  if (link.is === 'offline') {
    if (unsaved === 0) return { state: 'offline', text: 'Offline: nothing unsaved' }
    return { state: 'offline', text: `Offline: ${unsaved} unsaved ${unsaved === 1 ? 'change' : 'changes'}`, alert: offline(ends) }
  }
  if (!editable && waits) {
    const held = `${changes(unsaved)} on this page ${unsaved === 1 ? 'waits' : 'wait'} until the note is let go of, or signed. Leave the page open.`
    return { state: 'readonly', text: 'Held still', alert: unsaved > 0 ? held : undefined }
  }
  if (!editable) return { state: 'readonly', text: 'Read-only', alert: lost.trim() || undefined }
  if (unsaved > 0) return { state: 'saving', text: 'Saving…' }
  return { state: 'saved', text: savedAt ? `Saved ${clock(savedAt)}` : 'Saved' }
}

function clock(t: Date): string {
  return [t.getHours(), t.getMinutes()].map(n => String(n).padStart(2, '0')).join(':')
}

/** How long everything must be saved before the page says so: "Saved" that
 *  flickers between keystrokes helps nobody. Late is honest; early is not. */
const SETTLE_MS = 250

/** Shows a status: in sight at once, aloud only when it matters. */
export class StatusLine {
  #line = byId('save-status')
  #text = byId('save-text')
  #alert = byId('save-alert')
  #settling: ReturnType<typeof setTimeout> | undefined
  #shown: Status | undefined

  show(next: Status): void {
    if (next.state === 'saved' && this.#shown?.state === 'saving') {
      clearTimeout(this.#settling)
      this.#settling = setTimeout(() => this.#draw(next), SETTLE_MS)
      return
    }
    if (this.#settling !== undefined && next.state === 'saved') return
    this.#draw(next)
  }

  #draw(next: Status): void {
    clearTimeout(this.#settling)
    this.#settling = undefined
    this.#shown = next
    this.#line.dataset.state = next.state
    if (this.#text.textContent !== next.text) this.#text.textContent = next.text
    this.#alert.hidden = !next.alert
    const alert = next.alert ?? ''
    if (this.#alert.textContent !== alert) this.#alert.textContent = alert
  }
}

/** The element of the page that has this id; the server rendered it. */
export function byId(id: string): HTMLElement {
  const el = document.getElementById(id)
  if (!el) throw new Error(`the page has no #${id}`)
  return el
}
