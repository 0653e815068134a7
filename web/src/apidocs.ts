// Starts the viewer of the OpenAPI document.

interface SwaggerUI {
  (options: Record<string, unknown>): unknown
}

;(() => {
  const box = document.getElementById('swagger-ui')
  const ui = (globalThis as unknown as { SwaggerUIBundle?: SwaggerUI }).SwaggerUIBundle
  if (!box || !ui) return
  ui({
    domNode: box,
    url: box.dataset.spec,
    deepLinking: false,
    validatorUrl: null, // nothing is sent to another host
    persistAuthorization: false, // no token in the browser's storage
    tryItOutEnabled: true,
  })
})()
