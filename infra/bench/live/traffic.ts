import { setTimeout as sleep } from 'node:timers/promises'
import type { UsageEvent } from '../../../schemas/event.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { eventRecord } from '../../../services/collect/event-record.ts'
import { partitionOf } from '../../../services/stream/records/partitioner.ts'
import type { EventLog, OutRecord } from '../../../services/stream/log.ts'
import { nativeEvent, seeded } from '../collect/native-batch.ts'

const MINUTE_MS = 60_000
/** Events are appended this often: as a collector under load does. */
const TICK_MS = 100
const SEED = 9

/** Records of one append: acknowledged at `atMs`, below `next` of their partition. */
export type Appended = { partition: number; next: number; count: number; atMs: number }

/**
 * Calls at a steady rate, timed by the clock, and in each minute a few agents that call one tool
 * with one result again and again. Each of these loops is one alert, so their number is known.
 */
export class Traffic {
  /** Appends that nobody has seen in the lake yet, oldest first. */
  readonly appended: Appended[] = []
  events = 0
  loops = 0
  readonly #log: EventLog
  readonly #partitions: number
  readonly #next: number[]
  readonly #chance = seeded(SEED)
  #minute = -1

  constructor(log: EventLog, partitions: number) {
    this.#log = log
    this.#partitions = partitions
    this.#next = Array.from({ length: partitions }, () => 0)
  }

  /** Offers `rate` events a second until `untilMs`; what a late tick missed, it makes up for. */
  async offer(rate: number, loopsPerMinute: number, untilMs: number): Promise<void> {
    const startMs = Date.now()
    for (let sent = 0; ;) {
      const nowMs = Date.now()
      if (nowMs >= untilMs) return
      const due = Math.floor(((nowMs - startMs) / 1000) * rate)
      const calls = Array.from({ length: due - sent }, (_, index) =>
        nativeEvent(this.events + index, this.#chance, nowMs)
      )
      sent = due
      await this.#append([...calls, ...this.#loopsAt(nowMs, loopsPerMinute)])
      await sleep(Math.max(0, TICK_MS - (Date.now() - nowMs)))
    }
  }

  /** The loops of a minute, once in it and well before its end. */
  #loopsAt(nowMs: number, count: number): object[] {
    const minute = Math.floor(nowMs / MINUTE_MS)
    if (minute === this.#minute || nowMs % MINUTE_MS > MINUTE_MS / 2) return []
    this.#minute = minute
    this.loops += count
    return Array.from({ length: count }, (_, index) => loopOf(`${minute}-${index}`, nowMs)).flat()
  }

  async #append(events: readonly object[]): Promise<void> {
    if (events.length === 0) return
    const records = events.map((event) => eventRecord(event as UsageEvent))
    await this.#log.append(EVENTS_TOPIC, records)
    this.events += events.length
    this.#note(records, Date.now())
  }

  /** Nobody else appends, so offsets are counts. */
  #note(records: readonly OutRecord[], atMs: number): void {
    const counts = new Map<number, number>()
    for (const { key } of records) {
      const partition = partitionOf(key, this.#partitions)
      counts.set(partition, (counts.get(partition) ?? 0) + 1)
    }
    for (const [partition, count] of counts) {
      const next = (this.#next[partition] = this.#next[partition]! + count)
      this.appended.push({ partition, next, count, atMs })
    }
  }
}

/** As many calls as make a loop, and one more. */
const CALLS = 4
const STEP_MS = 20

const loopOf = (name: string, nowMs: number): object[] => {
  let steps = 0
  // One after the other: calls beside an equal one that still runs are no loop.
  const step = (id: string, fields: object): object => ({
    id: `${name}-${id}`,
    time: new Date(nowMs + STEP_MS * steps++).toISOString(),
    tenant: `looping-${name}`,
    trace_id: `loop-${name}`,
    span_id: id,
    duration_ms: 10,
    ...fields
  })
  const model = { provider: 'openai', response_model: 'gpt-4o-2024-08-06' }
  const tokens = { in_uncached: 8000, out_text: 200 }
  const tool = { name: 'search', args_hash: 'same', result_hash: 'same' }
  return [
    step('agent', { kind: 'agent', name: 'planner' }),
    ...Array.from({ length: CALLS }, (_, n) => [
      step(`m${n}`, { kind: 'llm', parent_span_id: 'agent', ...model, tokens }),
      step(`t${n}`, { kind: 'tool', parent_span_id: 'agent', ...tool })
    ]).flat()
  ]
}
