// Says the day that was chosen in a date field as pages write it, in the field's label: browsers show it in the order of their
// language, in which 11/12/2026 is two days.

import { clinicalDate } from './dates.ts'

for (const field of document.querySelectorAll<HTMLInputElement>('input[type="date"]')) {
  const day = document.createElement('b')
  const say = () => (day.textContent = clinicalDate(field.value))
  field.addEventListener('input', say)
  say()
  field.labels?.[0]?.append(' ', day)
}
