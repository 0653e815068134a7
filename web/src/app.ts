// On every page: the switch between dark and light.

const button = document.getElementById('theme-toggle')
const root = document.documentElement

function draw(): void {
  button?.setAttribute('aria-pressed', String(root.classList.contains('dark')))
}

if (button) {
  button.hidden = false
  button.addEventListener('click', () => {
    const dark = root.classList.toggle('dark')
    try {
      localStorage.setItem('theme', dark ? 'dark' : 'light')
    } catch {
      // No storage: the choice lasts for this page.
    }
    draw()
  })
  draw()
}

export {}
