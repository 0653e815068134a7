// Dates as the NHS CUI rules have them in every language: only months have names of their own.

import { say } from './say.ts'

const MONTHS = say('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec').split(' ')

/** 2026-11-23 as 23-Nov-2026, and 2026-11-23T14:00 as 23-Nov-2026 14:00; what is neither stays as it is. */
export function clinicalDate(s: string): string {
  const m = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?$/.exec(s)
  const month = m && MONTHS[Number(m[2]) - 1]
  return m && month ? `${m[3]}-${month}-${m[1]}${m[4] ? ` ${m[4]}` : ''}` : s
}

/** A day as pages write it: 23-Nov-2026. */
export function dayOf(at: string): string {
  const d = new Date(at)
  return `${String(d.getDate()).padStart(2, '0')}-${MONTHS[d.getMonth()]}-${d.getFullYear()}`
}

/** A moment as pages write it: 23-Nov-2026 14:02. */
export function momentOf(at: string): string {
  return `${dayOf(at)} ${new Date(at).toTimeString().slice(0, 5)}`
}
