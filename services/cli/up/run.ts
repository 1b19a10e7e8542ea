import path from 'node:path'
import type { Logger } from 'pino'
import type { AlertConfig } from '../../../jobs/alert/config.ts'
import { Failure } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import {
  PARTITIONS,
  startCollector,
  type Collector,
  type CollectorOptions
} from '../../collect/start.ts'
import type { EventLog } from '../../stream/log.ts'
import { PositionFiles } from '../../collect/relay/position-file.ts'
import { relayCounter } from '../../collect/relay/relay-metrics.ts'
import { startRelay } from '../../collect/relay/relay.ts'
import type { Intakes } from '../../collect/sources-file.ts'
import { flightFolder, openLog, type SiteOptions } from '../site.ts'
import type { Policies } from '../../flight/policy.ts'
import { createRecorder } from '../../flight/recorder.ts'
import { openFlightStore } from '../../flight/store.ts'
import { startConsumer, type ConsumerPart } from './consumer-part.ts'
import { startJobs, type JobsPart } from './jobs-part.ts'
import { startServe, type ServeApi } from './serve-part.ts'
import type { MoneySettings } from './money-jobs.ts'
import { consumeMetrics, JoinedRegistry, type Lag } from './metrics.ts'
import { createLimit, runParts, STOP_MS_MAX, type Part } from './parts.ts'
import { endSoon } from './signals.ts'

export type UpOptions = {
  place: SiteOptions
  host: string
  port: number
  keyFile: string | null
  tenantDefault: string | null
  /** Monthly budgets by tenant, decimal strings in USD. */
  budgetsUsd: Readonly<Record<string, string>>
  /** What is recorded of whose flights; null drops all content. */
  flights: Policies | null
  alerts: AlertConfig
  /** Budgets, prices and rules that jobs of money go by. */
  money: MoneySettings
  /** Addresses of GPU exporters that are scraped. */
  meters: readonly string[]
  /** Dialects behind the collector's paths, and topics of others that are taken in. */
  intakes: Intakes
  flushMsMax: number
  /** Which parts run here; the others run in other processes on the same log and lake. */
  parts: { collect: boolean; consume: boolean; jobs: boolean; serve: boolean }
}

export type UpDoors = {
  logger: Logger
  now: () => Date
  /** Called once everything runs; `url` is null without a collector. */
  started: (url: string | null) => void
}

/** Everything in one process, until the signal fires. @throws what made a part end. */
export const runUp = async (
  options: UpOptions,
  doors: UpDoors,
  signal: AbortSignal
): Promise<void> => {
  const log = openLog(options.place)
  const late = (name: string): void => {
    doors.logger.warn(lateMessage(name))
    endSoon()
  }
  try {
    await log.ensureTopic(EVENTS_TOPIC, PARTITIONS)
    await new UpProcess(options, doors, log).run(signal, late)
  } finally {
    const limit = createLimit(CLOSE_MS_MAX)
    if (!(await limit.holds(log.close()))) late('the log')
    limit.forget()
  }
}

/** All that is left then is to say goodbye to brokers, which notice without it. */
const CLOSE_MS_MAX = 2_000

const lateMessage = (name: string): string =>
  `${name} was still at work when the time to stop was over: it is left as a kill would leave it, ` +
  'and what it had not committed is read again by the next start'

/** What the parts know of one another. */
class UpProcess {
  readonly #options: UpOptions
  readonly #doors: UpDoors
  readonly #log: EventLog
  readonly #registry = new JoinedRegistry()
  #consumer: ConsumerPart | null = null
  #jobs: JobsPart | null = null
  #collector: CollectorPart | null = null
  #api: ServeApi | null = null

  constructor(options: UpOptions, doors: UpDoors, log: EventLog) {
    this.#options = options
    this.#doors = doors
    this.#log = log
  }

  /** Input flows from the collector over the consumer to the jobs: so they stop, and start. */
  run(signal: AbortSignal, late: (name: string) => void): Promise<void> {
    const { collect, consume, jobs } = this.#options.parts
    const starts = [
      ...(collect ? [() => this.#startCollector(), () => this.#startRelay()] : []),
      ...(consume ? [() => this.#startConsumer()] : []),
      ...(jobs ? [() => this.#startJobs()] : []),
      // The last to start: by then all the others run.
      () => this.#tellStarted()
    ]
    return runParts(starts, signal, { stopMsMax: STOP_MS_MAX, late })
  }

  async #startCollector(): Promise<Part> {
    const { place, host, port, keyFile, tenantDefault, flights } = this.#options
    const record =
      flights === null ? null : createRecorder(openFlightStore(flightFolder(place)), flights)
    const api = this.#options.parts.serve
      ? startServe(place, {
          now: this.#doors.now,
          registry: this.#registry,
          budgetsUsd: this.#options.budgetsUsd
        })
      : null
    this.#api = api
    const collector = await listening({
      log: this.#log,
      host,
      port,
      keyFile,
      settings: { tenantDefault, record },
      sources: this.#options.intakes.sources,
      registry: this.#registry,
      logger: this.#doors.logger,
      notReady: () => this.#notReady(),
      ...(api === null ? {} : { extend: api.register }),
      now: this.#doors.now
    })
    this.#collector = {
      name: 'the collector',
      ended: forever(),
      stop: async () => {
        await collector.close()
        await this.#api?.stop()
      },
      url: collector.url
    }
    return this.#collector
  }

  async #startRelay(): Promise<Part> {
    const { place, intakes } = this.#options
    const { logger, now } = this.#doors
    const relay = await startRelay(intakes.topics, {
      log: this.#log,
      positions: new PositionFiles(path.join(place.data, 'relay')),
      now,
      onProgress: relayCounter(this.#registry),
      onRetry: (failure) => logger.warn(failure, 'the relay tries again')
    })
    return { name: 'the relay', ended: relay.ended, stop: relay.stop }
  }

  async #startConsumer(): Promise<Part> {
    const { place, flushMsMax } = this.#options
    const { logger } = this.#doors
    const metrics = consumeMetrics(this.#registry, () => this.#lag())
    const landed = (): void => this.#jobs?.poke()
    const doors = { place, log: this.#log, logger, metrics, flushMsMax, landed }
    return (this.#consumer = await startConsumer(doors))
  }

  async #startJobs(): Promise<Part> {
    const { place, alerts, meters, money } = this.#options
    const { logger } = this.#doors
    this.#jobs = await startJobs({ place, alerts, meters, money, logger })
    this.#registry.join(this.#jobs.metrics)
    return this.#jobs
  }

  async #tellStarted(): Promise<Part> {
    this.#doors.started(this.#collector?.url ?? null)
    return { name: 'the start', ended: forever(), stop: async () => {} }
  }

  /** Why this process should get no traffic yet; null when it should. */
  #notReady(): string | null {
    if (!this.#options.parts.consume) return null
    return this.#consumer?.isReading() === true ? null : 'the consumer has not begun yet'
  }

  async #lag(): Promise<Lag[]> {
    const landed = this.#consumer?.landed()
    if (landed === undefined) return []
    const states = await this.#log.partitions(EVENTS_TOPIC)
    return states.flatMap(({ partition, end, heldBack = 0 }) => {
      const next = landed.get(partition)
      return next === undefined ? [] : [{ partition, records: Math.max(0, end + heldBack - next) }]
    })
  }
}

type CollectorPart = Part & { url: string }

const listening = async (options: CollectorOptions): Promise<Collector> => {
  try {
    return await startCollector(options)
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (!isTaken) throw cause
    throw new Failure('E_USAGE', `${options.host}:${options.port} is in use`, {
      cause,
      hint: 'Another process listens there, perhaps another tally up; give --port.'
    })
  }
}

/** A server ends only when it is told to. */
const forever = (): Promise<never> => new Promise(() => {})
