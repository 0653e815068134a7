// The three stock providers, as an integrator would open them.

import WebSocket from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider'
import {
  HocuspocusProvider as HocuspocusProviderV3,
  HocuspocusProviderWebsocket as HocuspocusProviderWebsocketV3
} from '@hocuspocus/provider-v3'

export function openProvider (client) {
  switch (client.kind) {
    case 'yws': return openYWebsocket(client)
    case 'hp4': return openHocuspocus(client, HocuspocusProvider, HocuspocusProviderWebsocket)
    case 'hp3': return openHocuspocus(client, HocuspocusProviderV3, HocuspocusProviderWebsocketV3)
  }
  throw new Error(`no such protocol: ${client.kind}`)
}

function openYWebsocket (client) {
  const { url, note, backoff } = client.args
  const provider = new WebsocketProvider(`${url}/ws/notes`, note, client.doc, {
    WebSocketPolyfill: client.socketClass(),
    disableBc: true, // clients of one process would otherwise sync without the server
    ...(backoff ? { maxBackoffTime: backoff } : {})
  })
  for (const event of ['status', 'sync']) provider.on(event, () => client.changed())
  provider.on('closed', () => { client.stats.gaveUp = true; client.changed() })
  return provider
}

/** Sockets that several clients share, by the name that they give it. */
const shared = new Map()

// A shared socket is not watched: its frames belong to several documents.
function sharedSocket (name, open) {
  if (!shared.has(name)) shared.set(name, open(WebSocket))
  return shared.get(name)
}

function openHocuspocus (client, Provider, Socket) {
  const { url, note, token, backoff, share, sessionAwareness, schema } = client.args
  const open = WebSocketPolyfill => new Socket({
    url: schema ? `${url}/ws?schema=${schema}` : `${url}/ws`, // what its editor knows, if that is more than any editor's
    WebSocketPolyfill,
    ...(backoff ? { delay: backoff / 5, minDelay: backoff / 10, maxDelay: backoff } : {})
  })
  const socket = share ? sharedSocket(share, open) : open(client.socketClass())
  const provider = new Provider({
    websocketProvider: socket,
    name: note,
    document: client.doc,
    token: token ?? '',
    ...(sessionAwareness ? { sessionAwareness } : {}),
    onAuthenticationFailed: ({ reason }) => { client.stats.denied.push(reason); client.changed() }
  })
  for (const event of ['synced', 'unsyncedChanges', 'authenticated', 'status', 'close']) {
    provider.on(event, () => client.changed())
  }
  provider.attach() // a provider that shares a socket joins it only when told to
  const { destroy } = provider
  return Object.assign(provider, {
    destroy: () => {
      destroy.call(provider)
      if (!share) socket.destroy()
    }
  })
}
