import { readFile } from 'node:fs/promises'
import { LineCounter, parseDocument, type Document } from 'yaml'
import { Failure } from '../../../schemas/failure.ts'
import { readMap, type FieldMap, type MapIssue } from './map-file.ts'

/** More complaints than this have one cause. */
const ISSUES_TOLD_MAX = 10

/**
 * The mapping in a file.
 * @throws Failure E_USAGE that names file, line, path and what is wrong there.
 */
export const loadMap = async (file: string): Promise<FieldMap> => {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new Failure('E_USAGE', `${file}: ${(cause as Error).message}`, { cause })
  }
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter })
  const [error] = document.errors
  if (error !== undefined) throw new Failure('E_USAGE', `${file}: ${error.message}`)
  const map = readMap(document.toJS())
  if (!Array.isArray(map)) return map
  const told = map.slice(0, ISSUES_TOLD_MAX).map((issue) => issueText(issue, document, counter))
  throw new Failure('E_USAGE', `${file}: ${told.join('; ')}`, {
    hint: 'A mapping is items, when and fields; see services/collect/mapping/README.md.'
  })
}

const issueText = ({ at, message }: MapIssue, document: Document, counter: LineCounter): string => {
  const where = at.join('.') || 'the document'
  const node = document.getIn(at, true) as { range?: readonly number[] } | undefined
  const start = node?.range?.[0]
  const line = start === undefined ? '' : `line ${counter.linePos(start).line}, `
  return `${line}${where}: ${message}`
}
