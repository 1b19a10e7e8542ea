import type { MeterFile } from '../../../jobs/energy/meter.ts'
import { readMeterFile } from '../../../jobs/energy/meter-files.ts'
import { Failure } from '../../../schemas/failure.ts'

/**
 * Scrapes of GPU exporters between two runs of the meter job. Counters add up by themselves, so what
 * a crash takes along is when energy was drawn within those minutes, not that it was.
 */
export type MeterReader = {
  /** Asks every exporter once. @throws Failure, retriable, naming those that did not answer. */
  scrape: () => Promise<void>
  /** Hands over what was scraped; what `work` fails to take is kept for the next time. */
  handOver: <T>(work: (files: readonly MeterFile[]) => Promise<T>) => Promise<T>
}

/** Four hours at a scrape each ten seconds: a lake that refuses longer loses the oldest first. */
export const SCRAPES_MAX = 1440

/** @param addresses of exporters; a reading that names no host is of the address's. */
export const meterReader = (addresses: readonly string[], nowMs: () => number): MeterReader => {
  let waiting: MeterFile[] = []
  const keep = (files: readonly MeterFile[]): void => {
    waiting = files.slice(-SCRAPES_MAX * addresses.length)
  }
  return {
    scrape: async () => {
      const answers = await Promise.allSettled(
        addresses.map((from) =>
          readMeterFile({ from, host: new URL(from).hostname, timeMs: null, nowMs: nowMs() })
        )
      )
      keep([
        ...waiting,
        ...answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
      ])
      const reasons = answers.flatMap((answer) =>
        answer.status === 'rejected' ? [String((answer.reason as Error).message)] : []
      )
      if (reasons.length > 0) throw putOff(reasons.join('; '))
    },
    handOver: async (work) => {
      const files = waiting
      waiting = []
      try {
        return await work(files)
      } catch (error) {
        keep([...files, ...waiting])
        // A counter that can not be understood must not end what takes events.
        if (error instanceof Failure && error.code === 'E_FACTOR_TABLE') throw putOff(error.message)
        throw error
      }
    }
  }
}

const putOff = (message: string): Failure =>
  new Failure('E_FACTOR_TABLE', message, {
    retriable: true,
    hint: 'The other exporters are read on; `tally energy meter ADDRESS` tells what one answers.'
  })

/** Addresses of exporters out of the setting. @throws Failure E_USAGE naming the one that is none. */
export const meterAddresses = (text: string | null): string[] => {
  const addresses = (text ?? '').split(',').map((part) => part.trim())
  return addresses.filter((address) => {
    if (address === '') return false
    if (/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : '')) return true
    throw new Failure('E_USAGE', `meters: "${address}" is no http address of an exporter`, {
      hint: 'Such as http://node-1:9400/metrics; several are separated by commas.'
    })
  })
}
