import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Numbers about landing; names and help texts are their documentation. */
export type ConsumeMetrics = {
  flushSeconds: Histogram
  partitions: Counter<'result'>
}

/** From an idle look to a flush of the largest batch on a busy disk. */
const FLUSH_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export type Lag = { partition: number; records: number }

export const consumeMetrics = (
  registry: Registry,
  lag: () => Promise<readonly Lag[]>
): ConsumeMetrics => {
  const registers = [registry]
  new Gauge({
    name: 'tally_consume_lag_records',
    help: 'Records in the log that are not landed yet, by partition of this consumer; also those that an open transaction holds back.',
    labelNames: ['partition'],
    registers,
    async collect() {
      const partitions = await lag()
      this.reset()
      for (const { partition, records } of partitions) this.set({ partition }, records)
    }
  })
  return {
    flushSeconds: new Histogram({
      name: 'tally_consume_flush_duration_seconds',
      help: 'Time to land one batch: enrich, write, fsync and commit.',
      buckets: FLUSH_SECONDS,
      registers
    }),
    partitions: new Counter({
      name: 'tally_consume_flushed_partitions_total',
      help: 'Partitions in flushes: landed, or lost because another consumer had landed them.',
      labelNames: ['result'],
      registers
    })
  }
}

/** One page of metrics: those of this thread, then those of others. */
export class JoinedRegistry extends Registry {
  readonly #others: (() => Promise<string>)[] = []

  join(metrics: () => Promise<string>): void {
    this.#others.push(metrics)
  }

  override async metrics(): Promise<string> {
    const pages = await Promise.all([super.metrics(), ...this.#others.map((read) => read())])
    return pages.join('\n')
  }
}
