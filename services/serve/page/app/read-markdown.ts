/** As much of Markdown as runbooks use; what is not known stays text. */

export type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'list'; ordered: boolean; items: string[] }
  | { kind: 'code'; text: string }
  | { kind: 'table'; rows: string[][] }
  | { kind: 'paragraph'; text: string }

const HEADING = /^(#{1,4}) (.+)$/
const RULE = /^\|[\s:|-]+\|$/
const ITEM = /^(?:[-*]|(\d+)\.) (.+)$/

export const readMarkdown = (text: string): Block[] => {
  const blocks: Block[] = []
  let code: string[] | null = null
  let isOpen = false
  for (const line of text.split('\n')) {
    if (line.startsWith('```')) {
      if (code !== null) blocks.push({ kind: 'code', text: code.join('\n') })
      code = code === null ? [] : null
      isOpen = false
    } else if (code !== null) code.push(line)
    else isOpen = readLine(blocks, line, isOpen)
  }
  if (code !== null) blocks.push({ kind: 'code', text: code.join('\n') })
  return blocks
}

/** @returns whether the next line may go on with the block. */
const readLine = (blocks: Block[], line: string, isOpen: boolean): boolean => {
  if (line.trim() === '') return false
  const [, marks, title] = HEADING.exec(line) ?? []
  if (marks !== undefined && title !== undefined) {
    blocks.push({ kind: 'heading', level: marks.length, text: title })
    return false
  }
  const [, number, item] = ITEM.exec(line) ?? []
  if (line.startsWith('|')) addRow(blocks, line.trim())
  else if (item !== undefined) addItem(blocks, item, number !== undefined)
  else addText(blocks, line, isOpen)
  return true
}

const addRow = (blocks: Block[], line: string): void => {
  const last = blocks.at(-1)
  const cells = line.slice(1, -1).split('|')
  const row = cells.map((cell) => cell.trim())
  if (last?.kind !== 'table') blocks.push({ kind: 'table', rows: [row] })
  else if (!RULE.test(line)) last.rows.push(row)
}

const addItem = (blocks: Block[], item: string, ordered: boolean): void => {
  const last = blocks.at(-1)
  if (last?.kind === 'list') last.items.push(item)
  else blocks.push({ kind: 'list', ordered, items: [item] })
}

const addText = (blocks: Block[], line: string, isOpen: boolean): void => {
  const last = blocks.at(-1)
  const text = line.trim()
  if (isOpen && last?.kind === 'paragraph') last.text += ` ${text}`
  else if (last?.kind === 'list' && (isOpen || line.startsWith('  '))) {
    last.items[last.items.length - 1] += ` ${text}`
  } else blocks.push({ kind: 'paragraph', text })
}

export type Span = { kind: 'text' | 'code' | 'strong' | 'link'; text: string; href?: string }

const SPAN = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g

export const readSpans = (text: string): Span[] => {
  const spans: Span[] = []
  let end = 0
  for (const match of text.matchAll(SPAN)) {
    const [whole, code, strong, label, href] = match
    if (match.index > end) spans.push({ kind: 'text', text: text.slice(end, match.index) })
    if (code !== undefined) spans.push({ kind: 'code', text: code })
    else if (strong !== undefined) spans.push({ kind: 'strong', text: strong.replaceAll('`', '') })
    // Other schemes could run; such a link stays the text that it was.
    else if (label !== undefined && /^https?:\/\//.test(href ?? '')) {
      spans.push({ kind: 'link', text: label, href: href! })
    } else spans.push({ kind: 'text', text: label ?? whole })
    end = match.index + whole.length
  }
  if (end < text.length) spans.push({ kind: 'text', text: text.slice(end) })
  return spans
}
