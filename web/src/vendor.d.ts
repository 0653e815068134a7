// htmx types its global build only.
declare module 'htmx.org/dist/htmx.esm.js' {
  const htmx: object
  export default htmx
}
