// What is pasted from other programs, kept clean: words, lists and tables, but no styles, comments, hidden text or empty lines. What is
// copied from a note here comes as it was.

import type { Editor } from '@tiptap/core'
import { DOMParser, type ParseOptions, type Slice } from '@tiptap/pm/model'
import { Plugin } from '@tiptap/pm/state'

import { tellKey } from './keys.ts'
import { say } from './say.ts'

/** What no reader of the page that it comes from was shown: hidden text, and what Word says of comments, headers and footers. */
const UNSEEN = /(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|mso-element:(?:comment|header|footer))/

/** Elements that stand in lines of their own. */
const BLOCKS = 'p, h1, h2, h3, h4, h5, h6, ul, ol, table, div, blockquote, pre'

/** Keeps what is pasted into an editor clean. */
export function cleanPastes(editor: Editor): void {
  const { schema } = editor
  class Cleaning extends DOMParser {
    override parseSlice(dom: Node, options?: ParseOptions): Slice {
      if (dom instanceof Element || dom.nodeType === 1) clean(dom as Element)
      return super.parseSlice(dom, options)
    }
  }
  editor.registerPlugin(
    new Plugin({
      props: {
        clipboardParser: new Cleaning(schema, [...DOMParser.fromSchema(schema).rules]),
        transformPastedHTML: unstyled,
      },
    }),
  )
  tellKey('Ctrl+Shift+V', say('Paste the words alone, without lists or bold'))
}

/**
 * Takes styles away before a browser reads them. The policy of our pages has it refuse each of them, loudly, and then a text that is not bold in its
 * style alone is bold; and browsers forget what they do not know, such as Word's lists.
 */
function unstyled(html: string): string {
  if (html.includes('data-pm-slice')) return html
  return html.replace(/<style\b[^]*?<\/style>/gi, '').replace(/<[a-z][^<>]*>/gi, tag => tag.replace(/\sstyle\s*=/i, ' data-style='))
}

function clean(root: Element): void {
  if (root.querySelector('[data-pm-slice]')) return
  for (const e of [...root.querySelectorAll('*')]) {
    // Deletions that are tracked are no text any more; Google's are struck text.
    if (UNSEEN.test(styleOf(e)) || e.matches('del[datetime], .MsoCommentReference, title, meta, link, script, style, xml')) e.remove()
  }
  const walk = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_COMMENT | NodeFilter.SHOW_TEXT)
  const comments: ChildNode[] = []
  while (walk.nextNode()) {
    const node = walk.currentNode as CharacterData
    if (node.nodeType === 8) comments.push(node)
    else node.data = node.data.replaceAll('\u00a0', ' ')
  }
  for (const c of comments) c.remove()
  wordLists(root)
  for (const e of root.querySelectorAll('[data-style]')) emphasis(e)
  for (const e of root.querySelectorAll('td, th, li')) if (e.childNodes.length === 0) e.append(root.ownerDocument.createElement('p'))
  for (const e of root.querySelectorAll('p, br')) {
    const empty = e.localName === 'p' ? e.textContent?.trim() === '' && !e.closest('td, th, li') : between(e)
    if (empty) e.remove()
  }
}

/** The style as it was written. */
function styleOf(e: Element): string {
  return (e.getAttribute('data-style') ?? '').replace(/\s+/g, '').toLowerCase()
}

const EMPHASIS: [RegExp, string][] = [
  [/(?:^|;)font-weight:(?:bold|[6-9]00)/, 'strong'],
  [/(?:^|;)font-style:italic/, 'em'],
  [/(?:^|;)text-decoration(?:-line)?:[^;]*underline/, 'u'],
  [/(?:^|;)text-decoration(?:-line)?:[^;]*line-through/, 's'],
]

/** Says by an element what is said by a style, of words within a line. */
function emphasis(e: Element): void {
  const style = styleOf(e)
  if (e.matches('b, strong') && /(?:^|;)font-weight:(?:normal|[1-4]00)/.test(style)) {
    e.replaceWith(...e.childNodes)
  } else if (e.matches('span, font')) {
    for (const [says, tag] of EMPHASIS) {
      if (!says.test(style) || e.closest(tag === 'u' ? 'a' : tag)) continue
      const mark = e.ownerDocument.createElement(tag)
      mark.append(...e.childNodes)
      e.append(mark)
    }
  }
}

/** Whether a line's break stands between two blocks, or beside one: it parts nothing then. */
function between(br: Element): boolean {
  return [br.previousElementSibling, br.nextElementSibling].some(e => e?.matches(BLOCKS)) && !br.closest('p, h1, h2, h3, h4, h5, h6, pre')
}

interface Level {
  depth: number
  list: Element
}

/** Word has no lists: it has paragraphs that say how deep they stand, and begin with a bullet or a number as text. */
function wordLists(root: Element): void {
  let open: Level[] = []
  for (const p of [...root.querySelectorAll('p')]) {
    const depth = Number(/mso-list:\S+?level(\d)/.exec(styleOf(p))?.[1] ?? 0)
    if (depth === 0) continue
    const marker = [...p.querySelectorAll('*')].find(e => styleOf(e).includes('mso-list:ignore'))
    const number = /^\W?(?:(\d+)|[a-z]{1,4})[.)]/i.exec(marker?.textContent?.trim() ?? '')
    marker?.remove()
    if (open[0]?.list !== p.previousElementSibling) open = []
    while (open.length > 0 && open.at(-1)!.depth > depth) open.pop()
    const tag = number ? 'ol' : 'ul'
    if (open.at(-1)?.depth === depth && open.at(-1)?.list.localName !== tag) open.pop()
    if (open.at(-1)?.depth !== depth) {
      const list = root.ownerDocument.createElement(tag)
      if (number && number[1] && number[1] !== '1') list.setAttribute('start', number[1])
      const inside = open.at(-1)?.list.lastElementChild
      if (inside) inside.append(list)
      else p.before(list)
      open.push({ depth, list })
    }
    const item = root.ownerDocument.createElement('li')
    const text = root.ownerDocument.createElement('p')
    text.append(...p.childNodes)
    item.append(text)
    open.at(-1)!.list.append(item)
    p.remove()
  }
}
