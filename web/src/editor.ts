// The live editor of a note page. It mounts into the server's rendering after
// the first sync, and never before: an editor on an empty document would show,
// and could write, a note that is not the patient's.

import { Editor } from '@tiptap/core'
import { Collaboration } from '@tiptap/extension-collaboration'
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import * as Y from 'yjs'

import { Authors } from './authors.ts'
import { CaretFirst, lookForCaret } from './caret.ts'
import { COMMENTS, Comments } from './comments.ts'
import { schemaExtensions } from './extensions.ts'
import { Find } from './find.ts'
import { Incoming } from './incoming.ts'
import { checkLogin, loginEnds, onLogoff } from './logoff.ts'
import { Place } from './late.ts'
import { LOSSES, LossNotice } from './losses.ts'
import { mentions } from './mentions.ts'
import { nameNeighbours } from './neighbours.ts'
import { Origins } from './origins.ts'
import { cleanPastes } from './paste.ts'
import { phrases } from './phrases.ts'
import { nameMovingCarets, renderCaret, renderSelection, sayNewsOnly } from './presence.ts'
import { accountedSocket, isStep2, Ledger } from './saved.ts'
import { say } from './say.ts'
import { slash } from './slash.ts'
import { LATE, Standing } from './standing.ts'
import { byId, type Edits, type Link, status, StatusLine } from './status.ts'
import { Steps } from './steps.ts'
import { Stops } from './stops.ts'
import { Suggest } from './suggest.ts'
import { Suggesting } from './suggesting.ts'
import { TaskDialog } from './taskdialog.ts'
import { Toolbar } from './toolbar.ts'
import { wordsOf } from './words.ts'

/** Fingerprint of the schema that this script was built with. */
declare const SCHEMA_FINGERPRINT: string

/** Close codes after which trying again cannot help. */
const ENDED: Record<number, string> = {
  4400: say('This page and the server do not understand each other. Reload the page.'),
  4401: say('Your sign-in has ended. Sign in again to go on.'),
  4403: say('You may not open this note, or no longer.'),
  4404: say('This note is not there, or no longer.'),
  4410: say('This note was destroyed. Reload the page to see when, and who decided it.'),
  4413: say('The last change is larger than a note can take. Copy what you need, and reload the page.'),
}

/** What the editor begins with; the note's document takes its place. */
const EMPTY = { type: 'doc', content: [{ type: 'paragraph' }] }

/** How often at most a page that cannot connect asks whether it may. */
const ASK_MS = 15_000

/** How long a page waits for a ticket: less than a socket may be open without one. */
const TICKET_MS = 4_000

/** How often a page that waits for that looks whether everything is saved. */
const LOOK_MS = 50

/** How long nothing has to be saved before the page says how much waits. */
const SLOW_MS = 2_000

/** How long what refers to the text waits until that is saved. */
const SAVED_MS = 5_000

/**
 * How often a page with something unsaved knocks in the last minutes of its login; the provider waits longer. A knock ends the try before it,
 * and Chromium holds each back for up to five seconds after many that failed: knocking sooner may get none through.
 */
const KNOCK_MS = 6_000
const LAST_MS = 120_000

class NotePage {
  #root = byId('note')
  #body = byId('note-body')
  #line = new StatusLine()
  #standing = new Standing(byId('standing'), this.#root.dataset.note ?? '')
  #doc = new Y.Doc()
  #ledger = new Ledger(() => this.#ledgerChanged())
  #origins = new Origins(payload => this.#provider.sendStateless(payload), () => this.#ledger.newest + 1)
  #provider: HocuspocusProvider
  #socket: HocuspocusProviderWebsocket
  #editor: Editor | undefined
  #toolbar: Toolbar | undefined
  #losses: LossNotice | undefined
  #comments: Comments | undefined
  #link: Link = { is: 'connecting' }
  #scope: string | undefined
  #gotDocument = false
  #askedAt = 0
  #unsaved = 0
  #slow: ReturnType<typeof setTimeout> | undefined
  #isSlow = false
  #savedAt: Date | undefined
  #cleared = false
  #knocking: ReturnType<typeof setInterval> | undefined

  constructor() {
    const name = this.#root.dataset.note ?? ''
    // Before the provider's own listener, so that an edit has its number when
    // its frame is sent.
    this.#doc.on('update', (_update: Uint8Array, origin: unknown, doc: Y.Doc, tr: Y.Transaction) => {
      if (origin === this.#provider) return
      this.#ledger.edited({ from: tr.beforeState.get(doc.clientID) ?? 0, to: tr.afterState.get(doc.clientID) ?? 0 })
    })
    this.#doc.on('afterTransaction', (tr: Y.Transaction) => this.#origins.wrote(tr, this.#link.is === 'live'))
    this.#socket = new HocuspocusProviderWebsocket({
      url: socketURL(),
      WebSocketPolyfill: accountedSocket(this.#ledger, h => {
        // The provider reads the frame after this; look when it is done.
        if (isStep2(h)) setTimeout(() => this.#documentCame())
      }),
    })
    this.#provider = new HocuspocusProvider({
      name,
      document: this.#doc,
      websocketProvider: this.#socket,
      token: () => this.#ticket(),
    })
    this.#listen()
    this.#provider.attach()
    this.#draw()
  }

  #listen(): void {
    const p = this.#provider
    p.on('authenticated', ({ scope }: { scope: string }) => {
      this.#origins.tell() // before what it is about
      // A note that is signed while it is held still stays read-only: what that means has changed all the same.
      const closed = scope === 'readonly' && this.#root.hasAttribute('data-editable')
      if (closed || this.#scope === 'readonly') this.#askStanding()
      this.#scope = scope
      this.#draw()
    })
    p.on('authenticationFailed', ({ reason }: { reason: string }) => this.#end(refusal(reason)))
    p.on('stateless', ({ payload }: { payload: string }) => {
      if (payload === LOSSES) this.#losses?.refresh()
      if (payload === LATE) this.#askStanding()
      if (payload === COMMENTS) this.#comments?.refresh()
    })
    p.on('close', ({ event }: { event: { code: number } }) => this.#closed(event))
    window.addEventListener('beforeunload', e => {
      if (this.#ledger.unsaved > 0 && !this.#cleared) e.preventDefault()
    })
    // The network is back, or somebody looks again: knock at once, instead of
    // after the provider's pause of up to half a minute.
    const knock = () => {
      if (this.#link.is === 'offline' && !document.hidden) void this.#socket.connect()
    }
    window.addEventListener('online', knock)
    document.addEventListener('visibilitychange', knock)
    // A sign-out in another window, or a page taken from the back-forward
    // cache, must not leave a socket that nobody sees.
    window.addEventListener('pagehide', () => this.#socket.disconnect())
    this.#knocking = setInterval(() => {
      if (this.#link.is === 'offline' && this.#ledger.unsaved > 0 && (loginEnds() ?? Infinity) - Date.now() < LAST_MS) void this.#socket.connect()
    }, KNOCK_MS)
    onLogoff({ unsaved: () => this.#ledger.unsaved, clear: until => this.#clear(until) })
  }

  // The login has ended, or is about to: the note goes from the screen at once,
  // and from memory when what is unsaved is saved, or cannot be.
  async #clear(until: number): Promise<number> {
    this.#cleared = true
    this.#editor?.destroy()
    this.#editor = undefined
    this.#toolbar = this.#losses = this.#comments = undefined
    while (this.#ledger.unsaved > 0 && this.#link.is !== 'ended' && Date.now() < until) {
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
    const { unsaved } = this.#ledger
    clearInterval(this.#knocking)
    clearTimeout(this.#slow)
    this.#provider.destroy()
    this.#socket.destroy()
    this.#doc.destroy()
    this.#doc = new Y.Doc()
    return unsaved
  }

  #askStanding(): void {
    void this.#standing.refresh().then(() => this.#draw())
  }

  get #editable(): boolean {
    return this.#root.hasAttribute('data-editable') && this.#scope !== 'readonly' && this.#link.is !== 'ended'
  }

  // The server's document is in ours: from now on the page is live.
  #documentCame(): void {
    if (this.#link.is === 'ended' || this.#cleared) return
    this.#gotDocument = true
    this.#link = { is: 'live' }
    if (!this.#editor) this.#mount()
    this.#draw()
    this.#losses?.refresh()
    this.#comments?.refresh()
  }

  #mount(): void {
    const box = document.createElement('div')
    const editor = new Editor({
      element: box,
      content: EMPTY, // no markup is parsed, as it would be of nothing
      injectCSS: false, // app.css has it: the policy allows no inline style
      editable: this.#editable,
      extensions: [
        ...schemaExtensions,
        CaretFirst,
        Collaboration.configure({ document: this.#doc, field: 'default', provider: this.#provider }),
        CollaborationCaret.configure({
          provider: this.#provider,
          user: {}, // the server says who we are
          render: renderCaret,
          selectionRender: renderSelection,
        }),
      ],
      editorProps: {
        attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-label': say('Text of the note') },
        handleKeyDown: (_view, e) => e.altKey && e.key === 'F10' && (this.#toolbar?.focus() ?? false),
      },
    })
    this.#editor = editor
    editor.on('beforeTransaction', ({ transaction }) => this.#origins.does(transaction.getMeta('uiEvent')))
    this.#body.replaceChildren(box)
    // The status tells it from now on; this would only grow old.
    byId('note-updated').hidden = true
    const bar = document.getElementById('toolbar')
    if (bar) this.#toolbar = new Toolbar(bar, editor)
    if (bar) new TaskDialog(editor, this.#root.dataset.note ?? '', this.#root.dataset.userId ?? '')
    new Incoming(this.#provider, editor.view.dom, () => lookForCaret(editor))
    nameNeighbours(this.#doc)
    new Authors(editor, this.#doc)
    new Steps(editor, this.#doc.getXmlFragment('default'), moves => this.#origins.moved(this.#doc.clientID, moves))
    cleanPastes(editor)
    new Stops(editor)
    new Find(editor)
    const { note = '', userId = '' } = this.#root.dataset
    new Suggest(editor, [slash(editor), phrases(editor), mentions(editor, note, userId)])
    new Suggesting(editor, note, userId)
    this.#later(editor)
    this.#losses = new LossNotice(byId('losses'), this.#root.dataset.note ?? '', this.#doc, editor)
    this.#comments = new Comments(this.#root.dataset.note ?? '', this.#doc, editor, () => this.#allSaved())
    const awareness = this.#provider.awareness
    if (awareness) {
      sayNewsOnly(awareness)
      nameMovingCarets(this.#body, awareness)
    }
    editor.commands.setTextSelection(0) // whoever comes by Tab begins at the top; now, before anybody can have gone elsewhere
  }

  // What nobody waits for: without a line it stays away.
  #later(editor: Editor): void {
    const places = [0, 1, 2].map(() => new Place<unknown>(editor))
    import('./later.ts').then(m => editor.isDestroyed || m.begin(editor, places, this.#provider, this.#root.dataset), () => {})
  }

  // Waits a while until what was written here is saved, and says whether it is.
  async #allSaved(): Promise<boolean> {
    for (const until = Date.now() + SAVED_MS; this.#ledger.unsaved > 0 && Date.now() < until; ) {
      await new Promise(resolve => setTimeout(resolve, LOOK_MS))
    }
    return this.#ledger.unsaved === 0 && this.#link.is === 'live'
  }

  // Each connection takes a ticket of its own. Without one there is nothing to
  // say on it: the promise stays open, and the next connection asks again.
  async #ticket(): Promise<string> {
    const socket = this.#socket.webSocket
    const ticket = await this.#askTicket()
    if (ticket !== undefined && socket === this.#socket.webSocket) return ticket
    if (ticket === undefined) socket?.close()
    return new Promise(() => {})
  }

  async #askTicket(): Promise<string | undefined> {
    const { note, userId } = this.#root.dataset
    try {
      const answer = await fetch(`/api/v1/notes/${note}/ticket`, {
        method: 'POST',
        headers: { 'Tidechart-Person': userId ?? '' },
        signal: AbortSignal.timeout(TICKET_MS),
      })
      if (answer.ok) return ((await answer.json()) as { ticket: string }).ticket
      const why = ENDED[answer.status === 409 ? 4401 : 4000 + answer.status]
      if (why) this.#end(why)
    } catch {
      // No network: the provider goes on trying.
    }
    return undefined
  }

  #closed(event: { code: number }): void {
    this.#origins.lost()
    if (this.#link.is === 'ended') return
    if (!(event instanceof CloseEvent)) {
      // A close message: the socket stays, but this note is closed to us.
      this.#end(say('The server closed this note. Reload the page to open it again.'))
      return
    }
    const why = ENDED[event.code]
    if (why) {
      this.#end(why)
      return
    }
    // A refused handshake looks like a broken network from here, and the
    // provider would knock for ever: ask whether the page itself is still ours.
    if (this.#link.is === 'offline' || !this.#gotDocument) void this.#stillAllowed()
    this.#link = { is: 'offline' }
    this.#draw()
  }

  async #stillAllowed(): Promise<void> {
    if (Date.now() - this.#askedAt < ASK_MS) return
    this.#askedAt = Date.now()
    try {
      const r = await fetch(location.pathname, { method: 'HEAD', redirect: 'manual', cache: 'no-store' })
      if (r.type === 'opaqueredirect' || r.status === 401) this.#end(ENDED[4401])
      else if (r.status === 403) this.#end(ENDED[4403])
      else if (r.status === 404) this.#end(ENDED[4404])
      else if (r.status === 410) this.#end(ENDED[4410])
    } catch {
      // No network: the provider goes on trying.
    }
  }

  #end(why: string): void {
    if (this.#link.is === 'ended') return
    this.#link = { is: 'ended', why }
    if (why === ENDED[4401]) checkLogin()
    this.#socket.disconnect()
    this.#draw()
  }

  // Words are counted only where they are said: no keystroke waits for it.
  #edits(): Edits {
    const { unsaved, refused } = this.#ledger
    const said = unsaved > 0 && (this.#isSlow || refused > 0 || this.#link.is !== 'live')
    return { unsaved, refused, slow: this.#isSlow, words: said ? wordsOf(this.#doc, this.#ledger.wrote) : 0 }
  }

  #ledgerChanged(): void {
    const { unsaved } = this.#ledger
    if (unsaved < this.#unsaved) {
      this.#savedAt = new Date()
      this.#origins.saved(edit => this.#ledger.waits(edit))
    }
    if (unsaved < this.#unsaved || unsaved === 0) {
      clearTimeout(this.#slow)
      this.#slow = undefined
      this.#isSlow = false
    }
    this.#unsaved = unsaved
    if (unsaved > 0) {
      this.#slow ??= setTimeout(() => {
        this.#isSlow = true
        this.#draw()
      }, SLOW_MS)
    }
    this.#draw()
  }

  #draw(): void {
    if (this.#cleared) return // there is nothing left to draw on
    const editable = this.#editable
    if (this.#editor && this.#editor.isEditable !== editable) this.#editor.setEditable(editable, false)
    this.#editor?.view.dom.setAttribute('aria-readonly', String(!editable))
    this.#toolbar?.show(editable)
    this.#losses?.show(editable)
    this.#comments?.show(editable)
    // Until the document came, nothing can be said of what is saved.
    const link: Link = this.#link.is === 'live' && !this.#gotDocument ? { is: 'connecting' } : this.#link
    this.#line.show(status(this.#edits(), link, editable, this.#savedAt, loginEnds(), this.#standing.waits))
  }
}

function socketURL(): string {
  const url = new URL('/ws', location.href)
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
  url.searchParams.set('schema', SCHEMA_FINGERPRINT)
  return url.href
}

// refusal words the server's reason, if it is one that a person can act on.
function refusal(reason: string): string {
  if (/sign in/.test(reason)) return ENDED[4401]
  if (/no such note/.test(reason)) return ENDED[4404]
  if (/destroyed/.test(reason)) return ENDED[4410]
  if (/out of date/.test(reason)) return say('This page is older than the server. Reload it to go on writing.')
  return ENDED[4403]
}

new NotePage()
