// htmx types its global build only.
declare module 'htmx.org/dist/htmx.esm.js' {
  const htmx: {
    registerExtension(name: string, extension: object): void
    process(element: Node): void
    ajax(method: string, address: string, context: { target: string; select?: string; swap: string }): Promise<void>
  }
  export default htmx
}
