// htmx, where its extensions look for it.

import htmx from 'htmx.org/dist/htmx.esm.js'

import { createPolicy } from './trusted.ts'

/** What htmx gives to an extension, as far as it is used here. */
interface Internals {
  initSecurity(policy: object, code: () => never, asyncCode: () => never): void
}

function refuse(): never {
  throw new Error('pages run no code from text')
}

// Text becomes markup only where this server sent it: requests keep to its
// origin. Code from text is refused, as the page's policy would refuse it.
htmx.registerExtension('trusted', {
  init: (api: Internals) => api.initSecurity(createPolicy('htmx', { createHTML: text => text, createScript: refuse }), refuse, refuse),
})

Object.assign(globalThis, { htmx })
