import { parseJson } from './json.ts'

/** Events are objects or lists of them; anything else is not worth a parser's exception. */
const STARTS_VALUE = /^[{[]/
const ENDS_VALUE = /[}\]]$/

/** Lines that one event may be spread over; more is junk, and joining it would take ever longer. */
const DATA_LINES_MAX = 64

/**
 * Takes a transcript apart into its JSON events: server-sent events, one JSON value a line, or
 * JSON objects one after another (also inside an array, as Gemini streams without `alt=sse`).
 * Text may arrive in pieces cut anywhere; what is not yet complete waits.
 */
export class EventSplitter {
  private rest = ''
  private readonly scanner = new ObjectScanner()
  private dataLines: string[] = []
  private mode: 'unknown' | 'lines' | 'objects' = 'unknown'
  /** A `[DONE]` was seen. */
  done = false
  /** Lines that said data but were no JSON. */
  unreadable = 0

  /** Events that became complete with this piece. */
  push(piece: string): unknown[] {
    this.rest += piece
    if (this.mode === 'unknown') this.mode = modeOf(this.rest)
    if (this.mode === 'unknown') return []
    if (this.mode === 'objects') {
      const text = this.rest
      this.rest = ''
      return this.scanner.push(text)
    }
    return this.takeLines()
  }

  /** Events in what is left, taken as the end; `tail` is true where something stays unread. */
  end(): { events: unknown[]; tail: boolean } {
    const events = this.push('\n')
    if (this.mode === 'objects') return { events, tail: this.scanner.isInside() }
    const unread = this.dataLines.length > 0
    return { events, tail: unread || this.mode === 'unknown' }
  }

  private takeLines(): unknown[] {
    const lines = this.rest.split('\n')
    this.rest = lines.pop() ?? ''
    const events: unknown[] = []
    for (const line of lines) this.takeLine(line.endsWith('\r') ? line.slice(0, -1) : line, events)
    return events
  }

  private takeLine(line: string, events: unknown[]): void {
    if (line.startsWith('data:')) {
      this.takeData(line.slice(5).trim(), events)
    } else if (line === '') {
      this.dropData()
    } else if (line.startsWith('{') || line.startsWith('[')) {
      this.takeData(line, events)
    }
  }

  /** One line is one event as a rule; an event over several data lines is tried as it grows. */
  private takeData(data: string, events: unknown[]): void {
    if (data === '[DONE]') {
      this.done = true
      this.dropData()
      return
    }
    if (data === '') return
    const value = STARTS_VALUE.test(data) && ENDS_VALUE.test(data) ? parseJson(data) : undefined
    if (value !== undefined) {
      this.dropData()
      events.push(value)
      return
    }
    if (this.dataLines.length >= DATA_LINES_MAX) this.dropData()
    this.dataLines.push(data)
    if (this.dataLines.length === 1 || !ENDS_VALUE.test(data)) return
    const joined = parseJson(this.dataLines.join('\n'))
    if (joined === undefined) return
    this.dataLines = []
    events.push(joined)
  }

  private dropData(): void {
    if (this.dataLines.length > 0) this.unreadable += 1
    this.dataLines = []
  }
}

/** Server-sent events and lines start with a field name; anything else is JSON in a row. */
const modeOf = (text: string): 'unknown' | 'lines' | 'objects' => {
  const start = text.trimStart()
  if (start === '') return 'unknown'
  if (start.startsWith('[') || isSpreadOut(start)) return 'objects'
  if (start.startsWith('{')) return start.includes('\n') ? 'lines' : 'unknown'
  return /^(data|event|id|retry|:)/.test(start) || start.includes('\n') ? 'lines' : 'unknown'
}

/** A brace alone on its line opens an object that is written over several lines. */
const isSpreadOut = (start: string): boolean => /^\{\s*\r?\n/.test(start)

/** Finds complete JSON objects in text by their braces, minding strings. */
class ObjectScanner {
  private text = ''
  private depth = 0
  private start = -1
  private position = 0
  private inString = false
  private escaped = false

  push(piece: string): unknown[] {
    this.text += piece
    const values: unknown[] = []
    for (; this.position < this.text.length; this.position += 1) this.step(values)
    this.forget()
    return values
  }

  isInside(): boolean {
    return this.depth > 0
  }

  private step(values: unknown[]): void {
    const char = this.text[this.position]
    if (this.inString) {
      this.stepInString(char)
    } else if (char === '"') {
      this.inString = this.depth > 0
    } else if (char === '{') {
      if (this.depth === 0) this.start = this.position
      this.depth += 1
    } else if (char === '}' && this.depth > 0) {
      this.depth -= 1
      if (this.depth === 0) this.take(values)
    }
  }

  private stepInString(char: string | undefined): void {
    if (this.escaped) this.escaped = false
    else if (char === '\\') this.escaped = true
    else if (char === '"') this.inString = false
  }

  private take(values: unknown[]): void {
    const value = parseJson(this.text.slice(this.start, this.position + 1))
    if (value !== undefined) values.push(value)
    this.start = -1
  }

  /** Text before the object that is open is not needed again. */
  private forget(): void {
    const keepFrom = this.start === -1 ? this.position : this.start
    this.text = this.text.slice(keepFrom)
    this.position -= keepFrom
    if (this.start !== -1) this.start = 0
  }
}
