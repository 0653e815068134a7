import assert from 'node:assert/strict'
import { mock, test, type TestContext } from 'node:test'

import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import * as Y from 'yjs'

import { Incoming } from './incoming.ts'

/** A page whose clock stands still, and a colleague. */
class Page {
  doc = new Y.Doc()
  dom = new EventTarget()
  #theirs = new Y.Doc()
  #provider: HocuspocusProvider
  #now = 1_000
  #frames = new Map<number, FrameRequestCallback>()
  /** How often the editor was to look where the caret is, and how often the note changed. */
  looked = 0
  changed = 0
  #written: Uint8Array[] = []

  constructor(t: TestContext) {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    mock.method(performance, 'now', () => this.#now)
    const websocketProvider = new HocuspocusProviderWebsocket({ url: 'ws://127.0.0.1', autoConnect: false, WebSocketPolyfill: EventTarget })
    this.#provider = new HocuspocusProvider({ name: 'n', document: this.doc, websocketProvider })
    t.after(() => {
      this.#provider.destroy()
      websocketProvider.destroy()
      mock.restoreAll()
    })
    Object.assign(globalThis, {
      requestAnimationFrame: (f: FrameRequestCallback) => this.#frames.set(this.#frames.size + 1, f).size,
      cancelAnimationFrame: (id: number) => this.#frames.delete(id),
    })
    new Incoming(this.#provider, this.dom, () => this.looked++)
    this.doc.on('update', () => this.changed++)
    this.#theirs.on('update', u => this.#written.push(u))
  }

  /** The screen is drawn. */
  draws(): void {
    const due = [...this.#frames.values()]
    this.#frames.clear()
    for (const f of due) f(0)
  }

  /** A frame comes that says it has an edit, and has none. */
  breaksOff(): void {
    this.#receives(0, 2, 9)
  }

  /** The colleague writes, and each letter comes in a frame of its own. */
  writes(text: string): void {
    for (const letter of text) {
      const all = this.#theirs.getText('t')
      all.insert(all.length, letter)
    }
    for (const u of this.#written.splice(0)) this.#receives(0, 2, u.length, ...u)
  }

  #receives(type: number, ...payload: number[]): void {
    const size = type === 1 ? [payload.length] : []
    this.#provider.onMessage({ data: new Uint8Array([1, 0x6e, type, ...size, ...payload]) } as MessageEvent)
  }

  /** The colleague's caret comes. */
  comes(): void {
    this.#receives(1, 1, 7, 1, 2, 0x7b, 0x7d)
  }

  get people(): number[] {
    return [...(this.#provider.awareness?.getStates().keys() ?? [])].filter(client => client !== this.doc.clientID)
  }

  breaks(): void {
    this.#provider.onClose()
    this.#provider.forwardClose({ event: new Event('close') as CloseEvent })
  }

  composes(what: 'start' | 'update' | 'end'): void {
    this.dom.dispatchEvent(new Event('composition' + what))
  }

  get text(): string {
    return this.doc.getText('t').toString()
  }

  pass(t: TestContext, ms: number): void {
    this.#now += ms
    t.mock.timers.tick(ms)
  }
}

test('what others do is taken together when the screen is drawn', t => {
  const page = new Page(t)
  page.comes()
  page.writes('abc')
  assert.equal(page.text, '')
  page.draws()
  assert.equal(page.text, 'abc')
  assert.deepEqual(page.people, [7])
  assert.equal(page.changed, 1)
  assert.equal(page.looked, 1)
  page.draws()
  page.writes('d')
  page.draws()
  assert.equal(page.text, 'abcd')
})

test('what others do comes where nothing is drawn, too', t => {
  const page = new Page(t)
  page.writes('a')
  page.pass(t, 100)
  assert.equal(page.text, 'a')
  page.draws()
  assert.equal(page.changed, 1)
})

test('a frame that cannot be read takes no other with it', t => {
  const page = new Page(t)
  const says = mock.method(console, 'error', () => {})
  page.writes('a')
  page.breaksOff()
  page.writes('b')
  page.draws()
  assert.equal(page.text, 'ab')
  assert.equal(says.mock.callCount(), 1)
})

test('what came just before something is composed waits with the rest', t => {
  const page = new Page(t)
  page.writes('a')
  page.composes('start')
  page.draws()
  page.pass(t, 100)
  assert.equal(page.text, '')
  page.composes('end')
  page.pass(t, 0)
  assert.equal(page.text, 'a')
})

test('what others do waits while something is composed', t => {
  const page = new Page(t)
  page.composes('start')
  page.writes('a')
  page.pass(t, 900)
  page.composes('update')
  page.pass(t, 900)
  page.writes('b')
  assert.equal(page.text, '')
  page.composes('end')
  assert.equal(page.text, '', 'the editor has not heard that it ended')
  page.pass(t, 0)
  assert.equal(page.text, 'ab')
})

test('whoever was there when the line broke is there no more', t => {
  const page = new Page(t)
  page.composes('start')
  page.comes()
  page.writes('a')
  page.breaks()
  page.pass(t, 1_000)
  assert.equal(page.text, 'a')
  assert.deepEqual(page.people, [])
  page.comes()
  page.draws()
  assert.deepEqual(page.people, [7])
})

test('a word that is left begun holds nobody up', t => {
  const page = new Page(t)
  page.composes('start')
  page.writes('a')
  page.pass(t, 1_000)
  assert.equal(page.text, 'a')
})

test('whoever composes without end sees others after five seconds', t => {
  const page = new Page(t)
  page.composes('start')
  page.writes('a')
  for (let i = 0; i < 9; i++) {
    page.pass(t, 500)
    page.composes('update')
  }
  assert.equal(page.text, '')
  page.pass(t, 500)
  assert.equal(page.text, 'a')
})

test('a crowd does not wait in memory', t => {
  const page = new Page(t)
  page.composes('start')
  page.writes('x'.repeat(999))
  assert.equal(page.text, '')
  page.writes('x')
  assert.equal(page.text, 'x'.repeat(1_000))
})
