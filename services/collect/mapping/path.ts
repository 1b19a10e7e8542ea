import { isJsonObject } from '../json-value.ts'

/** A place in a JSON value: keys and indexes from its top. */
export type Path = { text: string; steps: readonly (string | number)[] }

/** `.name`, `[0]`, `["any name"]`, `['any name']`. */
const STEP = /\.([\p{L}_$@][\p{L}\p{N}_$@-]*)|\[(\d{1,6})\]|\["([^"\\]*)"\]|\['([^'\\]*)'\]/uy

/** The path that a text is (`$`, `$.usage.input`, `$["x.y"][0]`), or null when it is none. */
export const parsePath = (text: string): Path | null => {
  if (!text.startsWith('$')) return null
  const steps: (string | number)[] = []
  STEP.lastIndex = 1
  while (STEP.lastIndex < text.length) {
    const found = STEP.exec(text)
    if (found === null) return null
    const [, name, index, quoted, single] = found
    steps.push(index === undefined ? (name ?? quoted ?? single ?? '') : Number(index))
  }
  return { text, steps }
}

/** What stands at a path; undefined when nothing does. Null and empty text are nothing. */
export const valueAt = (value: unknown, { steps }: Path): unknown => {
  let found = value
  for (const step of steps) {
    if (typeof step === 'number') {
      found = Array.isArray(found) ? (found as unknown[])[step] : undefined
    } else {
      found = isJsonObject(found) && Object.hasOwn(found, step) ? found[step] : undefined
    }
    if (found === undefined) return undefined
  }
  return found === null || found === '' ? undefined : found
}
