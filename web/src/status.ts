// The one status of a note page. It says Saved only when every edit made here
// is committed, and says plainly when it is not.

import { say, sayCount } from './say.ts'

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
  const until = ends === undefined ? '' : ` ${say('Your sign-in ends at {time} if the connection is not back: what is not sent by then is lost, so copy it in time.', clock(new Date(ends)))}`
  return say('You are offline. You can go on writing: it stays on this page and is sent when the connection is back.{until} Do not close the page.', until)
}

function changes(n: number): string {
  return sayCount(n, '{n} change', '{n} changes')
}

/** What a page knows of its own edits. */
export interface Edits {
  /** How many are not known to be saved, and how many of these were refused. */
  unsaved: number
  refused: number
  /** How many words they brought; 0 if they removed or formatted some, or if that is not known. */
  words?: number
  /** They have not been saved for so long that it is worth saying how much. */
  slow?: boolean
}

function amount({ unsaved, words = 0 }: Edits): string {
  if (words === 0) return changes(unsaved)
  return sayCount(words, '{n} word', '{n} words')
}

/** Derives the status from the facts. savedAt is the time of the last answer, ends that of the login's end; waits says that the server
 *  has what is not saved, and takes it when somebody who is about to sign lets go of the note. */
export function status(edits: Edits, link: Link, editable: boolean, savedAt?: Date, ends?: number, waits = false): Status {
  const { unsaved, refused } = edits
  const much = amount(edits)
  const n = edits.words || unsaved
  const lost = unsaved > 0 ? ` ${sayCount(n, '{much} on this page is not saved: copy what you need.', '{much} on this page are not saved: copy what you need.', much)}` : ''
  if (link.is === 'ended') return { state: 'ended', text: unsaved > 0 ? say('Not saved: {much}', much) : say('Disconnected'), alert: link.why + lost }
  if (refused > 0) {
    return { state: 'refused', text: say('Not saved: {much}', much), alert: say('The server refused {changes}.{lost} Then reload the page.', changes(refused), lost) }
  }
  if (link.is === 'connecting') return { state: 'connecting', text: say('Connecting…') }
  if (link.is === 'offline') {
    if (unsaved === 0) return { state: 'offline', text: say('Offline: nothing unsaved') }
    return { state: 'offline', text: say('Offline: {much} not saved yet', much), alert: offline(ends) }
  }
  if (!editable && waits) {
    const held = sayCount(n, '{much} on this page waits until the note is let go of, or signed. Leave the page open.', '{much} on this page wait until the note is let go of, or signed. Leave the page open.', much)
    return { state: 'readonly', text: say('Held still'), alert: unsaved > 0 ? held : undefined }
  }
  if (!editable) return { state: 'readonly', text: say('Read-only'), alert: lost.trim() || undefined }
  if (unsaved > 0) return { state: 'saving', text: edits.slow ? say('Saving… {much} not saved yet', much) : say('Saving…') }
  return { state: 'saved', text: savedAt ? say('Saved {clock}', clock(savedAt)) : say('Saved') }
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
