import { versionName } from './delta-log.ts'
import type { Doors } from './doors.ts'
import type { Files } from './files.ts'

/**
 * A lease says which process does a job for now. It only saves work: two holders at once do no
 * harm, because what they do is decided by a commit.
 */
export type Lease = {
  /** Extends the lease. @returns false when it has passed to another process: stop working. */
  renew: () => Promise<boolean>
  /** Lets the next process have it at once. */
  release: () => Promise<void>
}

type Claim = { holder: string; untilMs: number }

export const LEASES_FOLDER = '_leases'

/** A lease's claims are numbered files, each written once; the highest number counts. */
const claimPath = (name: string, number: number): string =>
  `${LEASES_FOLDER}/${name}/${versionName(number)}.json`

/**
 * Takes a lease by name.
 * @returns null while another process holds it.
 */
export const takeLease = async (
  doors: Pick<Doors, 'files' | 'nowMs' | 'newId'>,
  name: string,
  durationMs: number
): Promise<Lease | null> => {
  const { files, nowMs } = doors
  const holder = doors.newId()
  const claim = async (after: number, untilMs: number): Promise<boolean> => {
    const bytes = Buffer.from(JSON.stringify({ holder, untilMs } satisfies Claim))
    if (!(await files.putIfAbsent(claimPath(name, after + 1), bytes))) return false
    await forget(files, name, after)
    return true
  }
  const claimIfOurs = async (untilMs: number): Promise<boolean> => {
    const last = await lastClaim(files, name)
    return last?.holder === holder && claim(last.number, untilMs)
  }

  const last = await lastClaim(files, name)
  if (last !== null && last.untilMs > nowMs()) return null
  if (!(await claim(last?.number ?? 0, nowMs() + durationMs))) return null
  return {
    renew: () => claimIfOurs(nowMs() + durationMs),
    release: async () => void (await claimIfOurs(0))
  }
}

export type LeaseHolder = { name: string; holder: string; untilMs: number }

/** Leases that are held at a time, by name. */
export const leaseHolders = async (files: Files, nowMs: number): Promise<LeaseHolder[]> => {
  const paths = await files.list(LEASES_FOLDER)
  const names = [...new Set(paths.map((path) => path.split('/')[1] ?? ''))].sort()
  const claims = await Promise.all(
    names.map(async (name) => ({ name, claim: await lastClaim(files, name) }))
  )
  return claims.flatMap(({ name, claim }) =>
    claim === null || claim.untilMs <= nowMs
      ? []
      : [{ name, holder: claim.holder, untilMs: claim.untilMs }]
  )
}

const lastClaim = async (
  files: Files,
  name: string
): Promise<(Claim & { number: number }) | null> => {
  const numbers = await claimNumbers(files, name)
  const number = numbers.at(-1)
  if (number === undefined) return null
  const bytes = await files.get(claimPath(name, number))
  // Cleaned by a newer claim since it was listed: read that one.
  if (bytes === null) return lastClaim(files, name)
  return { ...(JSON.parse(Buffer.from(bytes).toString()) as Claim), number }
}

const claimNumbers = async (files: Files, name: string): Promise<number[]> =>
  (await files.list(`${LEASES_FOLDER}/${name}`))
    .map((path) => /\/(\d{20})\.json$/.exec(path)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)

const forget = async (files: Files, name: string, upTo: number): Promise<void> => {
  const old = (await claimNumbers(files, name)).filter((number) => number <= upTo)
  for (const number of old) await files.delete(claimPath(name, number))
}
