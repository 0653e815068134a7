// What the server said, kept for a while: lists that open as one types must not wait, and must not be of yesterday either.

/** How long an answer is kept while nobody leaves the window. */
const KEPT_MS = 60_000

/**
 * Asks when it is called first, then once a minute, and anew when somebody has been in another window: there they may have changed what is asked for.
 * Without an answer now, there is the one before; without any it fails, and asks again the next time.
 */
export function kept<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  let until = 0
  globalThis.addEventListener?.('focus', () => (until = 0))
  return () => {
    if (answer && Date.now() < until) return answer
    const before = answer
    until = Date.now() + KEPT_MS
    return (answer = ask().catch(err => {
      until = 0
      if (before) return before
      throw err
    }))
  }
}
