// Starts the viewer of the OpenAPI document.

import { createPolicy } from './trusted.ts'

interface SwaggerUI {
  (options: Record<string, unknown>): unknown
}

// The viewer writes markup as text. Whatever that holds, it holds no script
// when it is drawn; a browser that cannot see to it draws the text.
createPolicy('default', {
  createHTML: text => {
    const box = document.createElement('div') as HTMLDivElement & { setHTML?: (text: string) => void }
    if (box.setHTML) box.setHTML(text)
    else box.textContent = text
    return box.innerHTML
  },
})

const box = document.getElementById('swagger-ui')
const ui = (globalThis as unknown as { SwaggerUIBundle?: SwaggerUI }).SwaggerUIBundle
if (box && ui) {
  ui({
    domNode: box,
    url: box.dataset.spec,
    deepLinking: false,
    validatorUrl: null, // nothing is sent to another host
    persistAuthorization: false, // no token in the browser's storage
    tryItOutEnabled: true,
  })
}
