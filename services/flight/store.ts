import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { Failure } from '../../schemas/failure.ts'

/**
 * Contents of flights on disk, each stored once per tenant under the hash of what it says:
 * `kept/<tenant>/<hash>.gz`, and `held/…` for what waits for a finding. `flights/<tenant>/<trace>`
 * lists the hashes that a held trace refers to. Tenants share nothing: equal contents of two
 * tenants are two files, so nobody can probe for another's text.
 */

export type FlightStore = {
  /** Stores a content and returns its reference; `hold` leaves it to be forgotten soon. */
  put: (
    tenant: string,
    content: unknown,
    step: { trace: string; ms: number; hold: boolean }
  ) => string
  /** The content, or null when it was never kept or is forgotten. */
  get: (tenant: string, ref: string) => unknown
  /** Keeps all that a trace holds, and what it will hold. */
  keep: (tenant: string, trace: string) => void
  /** Keeps every held flight with a step in [fromMs, toMs). Returns how many. */
  keepBetween: (tenant: string, fromMs: number, toMs: number) => number
  /** Forgets what is older than its tenant's time. Returns how many contents. */
  prune: (nowMs: number, limits: (tenantId: string) => { keepMs: number; holdMs: number }) => number
}

/** Largest content of one step: a prompt of a million tokens. */
export const CONTENT_BYTES_MAX = 16 * 1024 * 1024
const HASH_HEX = 64
const REF = /^[\da-f]{64}$/
const KEPT = 'kept\n'

/** Names of folders and files: whatever a tenant or trace is called, its hash is a safe name. */
export const tenantId = (tenant: string): string => digest(tenant).slice(0, 32)
const digest = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex').slice(0, HASH_HEX)

export const openFlightStore = (root: string): FlightStore => {
  const folder = (...names: string[]): string => {
    const at = path.join(root, ...names)
    mkdirSync(at, { recursive: true, mode: 0o700 })
    return at
  }
  const blob = (area: 'kept' | 'held', id: string, ref: string): string =>
    path.join(folder(area, id), `${ref}.gz`)
  const flight = (id: string, trace: string): string =>
    path.join(folder('flights', id), tenantId(trace))

  const keepFlight = (id: string, file: string): void => {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    for (const line of lines) {
      const ref = line.split(' ')[0] ?? ''
      const held = blob('held', id, ref)
      if (REF.test(ref) && existsSync(held)) linkOnce(held, blob('kept', id, ref))
    }
    appendFileSync(file, KEPT, { mode: 0o600 })
  }

  return {
    put: (tenant, content, { trace, ms, hold }) => {
      const bytes = Buffer.from(JSON.stringify(content) ?? 'null')
      const cut = bytes.length > CONTENT_BYTES_MAX
      const whole = cut ? tooLarge(bytes.length) : bytes
      const [id, ref] = [tenantId(tenant), digest(whole)]
      const file = flight(id, trace)
      const isKept = !hold || isKeptFlight(file)
      write(blob(isKept ? 'kept' : 'held', id, ref), whole, ms)
      if (!isKept) appendFileSync(file, `${ref} ${ms}\n`, { mode: 0o600 })
      return ref
    },
    get: (tenant, ref) => {
      if (!REF.test(ref)) return null
      const id = tenantId(tenant)
      const file = [blob('kept', id, ref), blob('held', id, ref)].find((one) => existsSync(one))
      return file === undefined ? null : read(file, ref)
    },
    keep: (tenant, trace) => keepFlight(tenantId(tenant), flight(tenantId(tenant), trace)),
    keepBetween: (tenant, fromMs, toMs) => {
      const id = tenantId(tenant)
      const files = namesIn(folder('flights', id)).map((name) =>
        path.join(root, 'flights', id, name)
      )
      const found = files.filter((file) => !isKeptFlight(file) && isBetween(file, fromMs, toMs))
      for (const file of found) keepFlight(id, file)
      return found.length
    },
    prune: (nowMs, limits) => {
      let forgotten = 0
      for (const area of ['kept', 'held', 'flights'] as const) {
        for (const id of namesIn(path.join(root, area))) {
          const { keepMs, holdMs } = limits(id)
          const limit = nowMs - (area === 'held' ? holdMs : keepMs)
          const gone = removeOlder(path.join(root, area, id), limit)
          if (area !== 'flights') forgotten += gone
        }
      }
      return forgotten
    }
  }
}

const tooLarge = (bytes: number): Buffer =>
  Buffer.from(JSON.stringify({ not_recorded: `${bytes} bytes, more than ${CONTENT_BYTES_MAX}` }))

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : [])

const isKeptFlight = (file: string): boolean =>
  existsSync(file) && readFileSync(file, 'utf8').includes(KEPT)

const isBetween = (file: string, fromMs: number, toMs: number): boolean =>
  readFileSync(file, 'utf8')
    .split('\n')
    .some((line) => {
      const ms = Number(line.split(' ')[1] ?? Number.NaN)
      return ms >= fromMs && ms < toMs
    })

/** The time of a file is that of the latest step that refers to it: retention counts from there. */
const write = (file: string, bytes: Uint8Array, ms: number): void => {
  if (!existsSync(file)) {
    const temporary = `${file}.${process.pid}`
    writeFileSync(temporary, gzipSync(bytes), { mode: 0o600 })
    renameSync(temporary, file)
    utimesSync(file, ms / 1000, ms / 1000)
    return
  }
  if (statSync(file).mtimeMs < ms) utimesSync(file, ms / 1000, ms / 1000)
}

const linkOnce = (from: string, to: string): void => {
  if (!existsSync(to)) linkSync(from, to)
}

const read = (file: string, ref: string): unknown => {
  const bytes = gunzipSync(readFileSync(file))
  if (digest(bytes) !== ref) {
    throw new Failure('E_INTERNAL', `the recorded content ${ref} is damaged`, {
      hint: 'Its file no longer says what its name says; remove it.'
    })
  }
  return JSON.parse(bytes.toString('utf8')) as unknown
}

const removeOlder = (folder: string, limitMs: number): number => {
  const old = namesIn(folder).filter((name) => statSync(path.join(folder, name)).mtimeMs < limitMs)
  for (const name of old) rmSync(path.join(folder, name), { force: true })
  return old.length
}
