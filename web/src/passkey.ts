// Passkeys: the server says what to ask of a device, and checks what it answers.

import { say } from './say.ts'

type Said = { options?: { publicKey: unknown }; next?: string; error?: string }

const GENERAL = say('That did not work. Try again, or sign in in another way.')

/** Sends a form and returns the server's answer, whatever its status. */
async function post(path: string, form: Record<string, string>): Promise<Said> {
  const r = await fetch(path, { method: 'POST', body: new URLSearchParams(form) })
  try {
    return (await r.json()) as Said
  } catch {
    return { error: GENERAL }
  }
}

/** Has a device make a passkey, or use one. */
async function credential(create: boolean, options: unknown): Promise<string> {
  const made = create
    ? await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON),
      })
    : await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON),
      })
  return JSON.stringify((made as PublicKeyCredential).toJSON())
}

/** What the person is told when the device, or they, said no. */
function reason(e: unknown): string {
  switch ((e as Error).name) {
    case 'NotAllowedError':
      return say('No passkey was used: it was cancelled, took too long, or this device has none for Tidechart.')
    case 'InvalidStateError':
      return say('This device has a passkey of yours already. Use another device.')
    default:
      return GENERAL
  }
}

async function run(kind: string, next: string, fields: Record<string, string>): Promise<string | undefined> {
  const code = kind === 'enrol' ? document.querySelector<HTMLInputElement>('#code')!.value : ''
  let said = await post(`/passkeys/${kind}/ask`, { code })
  if (said.options) {
    try {
      said = await post(`/passkeys/${kind}`, { credential: await credential(kind === 'add' || kind === 'enrol', said.options.publicKey), next, ...fields })
    } catch (e) {
      return reason(e)
    }
  }
  if (!said.next) return said.error ?? GENERAL
  location.assign(said.next)
}

const known = typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential
for (const part of known ? document.querySelectorAll<HTMLElement>('[data-passkey]') : []) {
  const button = part.querySelector('button')!
  const refusal = part.querySelector('.refusal')!
  part.hidden = false
  button.addEventListener('click', async () => {
    button.disabled = true
    refusal.textContent = ''
    const fields = Object.fromEntries(Array.from(part.querySelectorAll('input'), i => [i.name, i.value]))
    try {
      refusal.textContent = (await run(part.dataset.passkey!, part.dataset.next!, fields)) ?? ''
    } catch {
      refusal.textContent = say('The server cannot be reached. Try again.')
    }
    button.disabled = false
  })
}

export {}
