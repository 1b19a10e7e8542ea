import { randomUUID } from 'node:crypto'
import { Failure } from '../../../schemas/failure.ts'
import { takeLease, type Lease } from '../../lake/lease.ts'
import { localFiles } from '../../lake/local-files.ts'

/** Who lands what the log holds: `tally ingest` leaves it to a process that has this lease. */
export const CONSUME_LEASE = 'consume'
/** Who detects, alerts, settles and cleans up. */
export const JOBS_LEASE = 'jobs'

/** After a kill the next process waits as long; two renewals may be missed. */
const LEASE_MS = 15_000
const RENEW_MS = 5_000

export type HeldLease = {
  held: () => boolean
  /** Stops renewing and lets the next process have it at once. */
  release: () => Promise<void>
}

/** Takes a lease of the lake in `dir` if it is free. */
const tryLease = (dir: string, name: string): Promise<Lease | null> =>
  takeLease({ files: localFiles(dir), nowMs: Date.now, newId: randomUUID }, name, LEASE_MS)

/**
 * Keeps a lease for as long as the process runs; while another process has it, waits for it.
 * `failed` gets what makes leases impossible; a full disk is waited for.
 */
export const keepLease = async (
  dir: string,
  name: string,
  failed: (error: unknown) => void
): Promise<HeldLease> => {
  let lease = await tryLease(dir, name)
  const extend = async (): Promise<void> => {
    try {
      if (lease === null) lease = await tryLease(dir, name)
      else if (!(await lease.renew())) lease = null
    } catch (error) {
      lease = null
      if (!(error instanceof Failure) || !error.retriable) failed(error)
    }
  }
  let turn: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    turn = turn.then(extend)
  }, RENEW_MS)
  return {
    held: () => lease !== null,
    release: async () => {
      clearInterval(timer)
      await turn
      await lease?.release()
      lease = null
    }
  }
}
