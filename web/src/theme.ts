// Runs before the first paint, so that a dark page is never white first.
;(() => {
  let chosen: string | null = null
  try {
    chosen = localStorage.getItem('theme')
  } catch {
    // No storage: the system decides.
  }
  const system = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => document.documentElement.classList.toggle('dark', chosen ? chosen === 'dark' : system.matches)
  system.addEventListener('change', apply)
  apply()
})()
