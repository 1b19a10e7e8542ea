import { existsSync } from 'node:fs'
import path from 'node:path'
import { Failure } from '../../../schemas/failure.ts'
import type { EventLog } from '../../stream/log.ts'
import { openLakeSite, openLog, type LakeSite, type SiteOptions } from '../site.ts'

/** An installation that is looked at: what is opened once stays open until the end. */
export class Patient {
  readonly place: SiteOptions
  readonly alertConfig: string | null
  readonly nowMs: number
  #site: LakeSite | null = null
  #log: EventLog | null = null

  constructor(place: SiteOptions, alertConfig: string | null, nowMs: number) {
    this.place = place
    this.alertConfig = alertConfig
    this.nowMs = nowMs
  }

  async site(): Promise<LakeSite> {
    return (this.#site ??= await openLakeSite(this.place))
  }

  /** Opens the log where there is one: looking at an installation must not make it. */
  log(): EventLog {
    const { data, brokers } = this.place
    if (brokers === undefined && !existsSync(path.join(data, 'log', 'data.mdb'))) {
      throw new Failure('E_LOG_UNAVAILABLE', `${data} holds no log`, {
        hint: 'Start tally up or ingest a file; where events come from Kafka, give --brokers.'
      })
    }
    return (this.#log ??= openLog(this.place))
  }

  async close(): Promise<void> {
    this.#site?.close()
    await this.#log?.close()
  }
}
