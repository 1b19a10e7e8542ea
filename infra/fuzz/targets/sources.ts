import { Failure } from '../../../schemas/failure.ts'
import { statusOf } from '../../../schemas/problem.ts'
import { nativeFormat } from '../../../services/consume/decode/messages.ts'
import { Pending } from '../../../services/consume/pending.ts'
import { runOf } from '../../../services/consume/fixtures/run-of.ts'
import { takeIn } from '../../../services/collect/intake.ts'
import {
  bytesOf,
  CASE_NOW_MS,
  messageOf,
  readCases,
  sourceFor
} from '../../../services/collect/sources/cases.ts'
import { loadSources, type LoadedSource } from '../../../services/collect/sources/load.ts'
import type { Message } from '../../../services/collect/sources/source.ts'
import type { Target, Targets } from '../target.ts'

/**
 * Each dialect through the whole way in. What is taken is acknowledged, so the consumer must be able
 * to read it: a record that it would put into quarantine is a finding.
 */
const RULES = { nowMs: CASE_NOW_MS, tenantOnly: null, itemsMax: 10_000 }

type Variant = { source: LoadedSource; message: Message }

/** Cases differ in media type, door, headers and options: the fuzzed bytes run through each kind. */
const variantsOf = async (source: LoadedSource): Promise<Variant[]> => {
  const variants = new Map<string, Variant>()
  for (const one of await readCases(source.id)) {
    const message = messageOf(one)
    const { bytes: _, ...rest } = message
    const key = JSON.stringify([rest, one.options])
    if (variants.has(key)) continue
    variants.set(key, {
      source: await sourceFor(source, one),
      message: { ...message, tenant: message.tenant ?? 'acme' }
    })
  }
  return [...variants.values()]
}

const targetOf = async (source: LoadedSource): Promise<Target> => {
  const variants = await variantsOf(source)
  return {
    name: source.id,
    seeds: async () => (await readCases(source.id)).map(bytesOf),
    refuses: [],
    run: async (bytes) => {
      for (const { source: told, message } of variants) await take(told, { ...message, bytes })
    }
  }
}

const take = async (source: LoadedSource, message: Message): Promise<void> => {
  try {
    await source.prepare?.(message)
    const { records, faults, ignored } = takeIn(source, message, RULES)
    for (const { value } of records) readBack(Buffer.from(value!))
    source.answer?.({ accepted: records.length, ignored, faults }, message.mediaType ?? '')
  } catch (error) {
    // What is refused as a whole is the sender's fault, and said so: no 5xx.
    if (!(error instanceof Failure) || statusOf(error.code) >= 500) throw error
  }
}

const pending = new Pending(nativeFormat())

/** Reads an event as the consumer would, out of a log that holds nothing else. */
const readBack = (value: Buffer): void => {
  pending.clear()
  pending.add(runOf([value], CASE_NOW_MS), { topic: 'events', incarnation: 'one' })
  const [refused] = pending.quarantined()
  if (refused !== undefined) throw new Error(`${refused.code}: ${refused.reason}`)
}

const sources: Targets = async () => Promise.all((await loadSources()).map(targetOf))
export default sources
