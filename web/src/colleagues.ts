// Who works with a note's patient: tasks are given to them, and they are named.

export interface Colleague {
  id: string
  name: string
  roleName: string
}

/** How long the server has for its answer. */
const ASK_MS = 8_000

/** Asks the server; it fails without a line, and for who may not write the note. */
export async function colleaguesOf(note: string): Promise<Colleague[]> {
  const answer = await fetch(`/api/v1/notes/${note}/colleagues`, { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return ((await answer.json()) as { people: Colleague[] }).people
}
