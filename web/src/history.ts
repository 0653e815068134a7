// A note as it was: the slider goes anywhere, and the note plays by itself. All of it is rendered on the server, from a
// document that is nobody's; this file only asks for it.

import htmx from 'htmx.org/dist/htmx.esm.js'

import './htmx.ts'
import { say } from './say.ts'

/** How often a note that plays is shown anew. */
const TICK_MS = 100

const form = document.querySelector<HTMLFormElement>('#timeline')
const slider = document.querySelector<HTMLInputElement>('#at')
const play = document.querySelector<HTMLButtonElement>('#play')
const speed = document.querySelector<HTMLSelectElement>('#speed')

/** What is asked for while an answer is awaited: only the newest counts. */
let asking = false
let next: URLSearchParams | undefined
let playing = 0
/** Where the last step of playing led to, and whether any has led on: of one person nothing may be left before the end. */
let last = ''
let moved = false

function past(): HTMLElement | null {
  return document.getElementById('past')
}

function wanted(more: Record<string, string> = {}): URLSearchParams {
  const query = new URLSearchParams({ at: slider?.value ?? '' })
  for (const name of ['by', 'authors']) {
    const value = form?.querySelector<HTMLSelectElement>(`#${name}`)?.value
    if (value) query.set(name, value)
  }
  for (const [name, value] of Object.entries(more)) query.set(name, value)
  return query
}

async function show(query: URLSearchParams): Promise<void> {
  next = query
  if (asking || !form) return
  asking = true
  try {
    while (next) {
      const now: URLSearchParams = next
      next = undefined
      await htmx.ajax('GET', `${form.getAttribute('action')}?${now}`, { target: '#past', select: '#past', swap: 'outerMorph' })
      shown()
    }
  } finally {
    asking = false
  }
}

// The page says where it is: the server may have gone elsewhere than the slider. The address leads there again.
function shown(): void {
  const at = past()?.dataset
  if (!at || !slider) return
  slider.max = at.head ?? slider.max
  if (!next) slider.value = at.at ?? slider.value
  slider.setAttribute('aria-valuetext', at.says ?? '')
  history.replaceState(null, '', `?${wanted()}`)
  if (!playing || next) return
  if (at.at === at.head) stop()
  else if (at.at !== last) moved = true
  else if (moved) stop()
  else {
    moved = true
    void show(wanted({ go: 'first' }))
  }
  last = at.at ?? ''
}

function stop(): void {
  clearInterval(playing)
  playing = 0
  play?.setAttribute('aria-pressed', 'false')
  if (play) play.textContent = say('Play')
}

async function start(): Promise<void> {
  if (past()?.dataset.at === past()?.dataset.head) await show(wanted({ go: 'first' }))
  last = past()?.dataset.at ?? ''
  moved = false
  let before = performance.now()
  playing = window.setInterval(() => {
    if (asking) return
    const now = performance.now()
    const watched = Math.round((now - before) * Number(speed?.value ?? 1))
    before = now
    void show(wanted({ go: 'play', for: String(watched) }))
  }, TICK_MS)
  play?.setAttribute('aria-pressed', 'true')
  if (play) play.textContent = say('Pause')
}

if (form && slider && play) {
  for (const id of ['play', 'speed-field']) document.getElementById(id)?.removeAttribute('hidden')
  play.addEventListener('click', () => (playing ? stop() : void start()))
  slider.addEventListener('input', () => {
    stop()
    void show(wanted())
  })
  form.addEventListener('change', event => {
    if (event.target !== slider && event.target !== speed) void show(wanted())
  })
  form.addEventListener('submit', event => {
    event.preventDefault()
    stop()
    const button = event.submitter as HTMLButtonElement | null
    void show(wanted(button?.value ? { go: button.value } : {}))
  })
  // Space plays and pauses, wherever nothing else takes it.
  document.addEventListener('keydown', event => {
    if (event.key !== ' ' || (event.target instanceof Element && event.target.closest('button, select, a, [contenteditable]'))) return
    event.preventDefault()
    play.click()
  })
}
