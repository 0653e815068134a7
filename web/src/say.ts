// What scripts say, in the language of the page: English is the key, as on the server (web/words). A page in another language brings
// what its scripts say; an English one brings nothing. Every page loads this: it is small.

type Forms = Record<Intl.LDMLPluralRule, string>

const told = JSON.parse(globalThis.document?.getElementById('words')?.textContent || '{}') as Record<string, string & Forms>

const PLACES = /\{\w+\}/g

/** A message, with values in the place of what English has in braces, in the order of English. */
export function say(text: string, ...values: (string | number)[]): string {
  return fill(told[text] ?? text, text, [0, ...values])
}

/** The message for a number of things, which is {n}; values are for what else `many` has in braces. */
export function sayCount(n: number, one: string, many: string, ...values: (string | number)[]): string {
  return fill(told[one + many]?.[new Intl.PluralRules(document.documentElement.lang).select(n)] ?? (n === 1 ? one : many), many, [n, ...values])
}

function fill(said: string, english: string, values: (string | number)[]): string {
  const names = [...new Set(['{n}', ...(english.match(PLACES) ?? [])])]
  return said.replace(PLACES, name => `${values[names.indexOf(name)]}`)
}
