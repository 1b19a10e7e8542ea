import assert from 'node:assert/strict'
import { EventSplitter } from '../../../services/collect/normalize/events.ts'
import { normalize, type Normalized } from '../../../services/collect/normalize/normalize.ts'
import { readRequestLine } from '../../../services/collect/normalize/request-line.ts'
import {
  lines,
  sample,
  type ResponseLine
} from '../../../services/collect/normalize/fixtures/recordings.ts'
import type { Target, Targets } from '../target.ts'

/** Bodies, streams and usage blocks of providers: read whatever they say, and never counted absurdly. */

const responses = (): Buffer[] =>
  lines<ResponseLine>(sample('responses.ndjson')).map(({ body }) => Buffer.from(body))

/** A stream that was cut into events, put together again. */
const transcripts = (): Buffer[] =>
  lines<ResponseLine>(sample('responses.ndjson'))
    .filter(({ format }) => format !== 'json')
    .flatMap(({ body }) => [
      Buffer.from(body),
      Buffer.from(body.replaceAll(/^(?=\{)/gm, 'data: ').replaceAll('\n', '\n\n'))
    ])

/** Any input is read; a count is one that a column can hold, or it is unknown. */
const checkCounts = ({ tokens }: Normalized): void => {
  for (const [name, count] of Object.entries(tokens)) {
    if (typeof count !== 'number') continue
    assert.ok(Number.isSafeInteger(count) && count >= 0, `${name}: ${count}`)
  }
}

const body: Target = {
  name: 'body',
  seeds: () => [
    ...responses(),
    ...lines<object>(sample('usages.ndjson')).map((line) => Buffer.from(JSON.stringify(line))),
    ...lines<object>(sample('errors.ndjson')).map((line) => Buffer.from(JSON.stringify(line)))
  ],
  refuses: [],
  run: (bytes) => checkCounts(normalize({ body: bytes.toString() }))
}

/** A stream that comes in pieces says the same as the stream at once. */
const stream: Target = {
  name: 'stream',
  seeds: transcripts,
  refuses: [],
  run: (bytes) => {
    const text = bytes.toString()
    const split = (pieces: readonly string[]): unknown[] => {
      const splitter = new EventSplitter()
      return [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end().events]
    }
    const step = 1 + (bytes[0] ?? 0)
    const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_, piece) =>
      text.slice(piece * step, (piece + 1) * step)
    )
    assert.deepEqual(split(pieces), split([text]))
    checkCounts(normalize({ body: text }))
  }
}

const requestLine: Target = {
  name: 'request-line',
  seeds: () =>
    responses().map((one) =>
      Buffer.from(JSON.stringify({ provider: 'openai', model: 'gpt-4o', body: one.toString() }))
    ),
  refuses: ['E_BODY_UNREADABLE'],
  run: (bytes) => checkCounts(normalize(readRequestLine(bytes)))
}

const provider: Targets = () => [body, stream, requestLine]
export default provider
