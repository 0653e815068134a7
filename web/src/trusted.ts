// Trusted Types, where the browser has them.

/** How text becomes something that the browser would run or draw. */
export interface Rules {
  createHTML?: (text: string) => string
  createScript?: (text: string) => string
}

interface Factory {
  createPolicy(name: string, rules: Rules): object
}

/** Makes a policy that the page's content security policy names; without Trusted Types, the rules themselves. */
export function createPolicy(name: string, rules: Rules): object {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes
  return factory?.createPolicy(name, rules) ?? rules
}
