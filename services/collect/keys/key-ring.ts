import { readFile, stat } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { createKey, hasScope, KeyEntry, matchesEntry, tokenId, type NeededScope } from './key.ts'

const KeyFile = z.strictObject({ keys: z.array(KeyEntry) })

/** The keys of a file (YAML or JSON). @throws Failure E_USAGE that names the entry at fault. */
export const parseKeyFile = (text: string, file: string): KeyEntry[] => {
  const parsed = KeyFile.safeParse(parseYaml(text, file))
  if (!parsed.success) {
    throw new Failure('E_USAGE', `${file}: ${z.prettifyError(parsed.error)}`, {
      hint: 'The file holds `keys:`, a list of entries with id, hash and scopes.'
    })
  }
  return parsed.data.keys
}

const parseYaml = (text: string, file: string): unknown => {
  try {
    return parse(text) as unknown
  } catch (error) {
    // The lines behind the first quote the file, in which somebody may have put a key itself.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new Failure('E_USAGE', `${file} is neither YAML nor JSON: ${reason}`)
  }
}

/** Who may do what; asked once per request. */
export type KeyRing = {
  /**
   * @returns the entry whose token it is, with the scope.
   * @throws Failure E_UNAUTHENTICATED, E_FORBIDDEN.
   */
  check: (token: string | null, scope: NeededScope, nowMs: number) => KeyEntry
}

/** Compared with when the id is unknown, so that unknown ids take the time of known ones. */
const DECOY = createKey({ scopes: ['ingest'], tenant: null, name: null, now: new Date(0) }).entry

export const createKeyRing = (entries: readonly KeyEntry[]): KeyRing => {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  return {
    check: (token, scope, nowMs) => {
      const entry = byId.get(tokenId(token ?? '') ?? '')
      const isMatch = matchesEntry(token ?? '', entry ?? DECOY)
      if (entry === undefined || !isMatch) throw unauthenticated(token)
      if (isExpired(entry, nowMs)) {
        throw new Failure('E_UNAUTHENTICATED', `API key ${entry.id} expired at ${entry.expires}`)
      }
      if (!hasScope(entry, scope)) {
        throw new Failure('E_FORBIDDEN', `API key ${entry.id} has not the scope ${scope}`)
      }
      return entry
    }
  }
}

const isExpired = ({ expires }: KeyEntry, nowMs: number): boolean =>
  expires !== null && expires !== undefined && Date.parse(expires) <= nowMs

const unauthenticated = (token: string | null): Failure =>
  new Failure(
    'E_UNAUTHENTICATED',
    token === null ? 'no API key was given' : 'the API key is not known here',
    { hint: 'Send `Authorization: Bearer <key>`.' }
  )

/** How long a withdrawn key may still work: short enough to act on, rare enough to cost nothing. */
const RELOAD_INTERVAL_MS = 5000

/** A key ring over a file that is read again when it changes; a broken change keeps the old keys. */
export const openKeyFile = async (
  file: string,
  complain: (failure: Failure) => void
): Promise<KeyRing> => {
  let changedMs = (await stat(file)).mtimeMs
  let ring = createKeyRing(parseKeyFile(await readFile(file, 'utf8'), file))
  let checkedMs = 0
  const reload = async (): Promise<void> => {
    const { mtimeMs } = await stat(file)
    if (mtimeMs === changedMs) return
    ring = createKeyRing(parseKeyFile(await readFile(file, 'utf8'), file))
    changedMs = mtimeMs
  }
  return {
    check: (token, scope, nowMs) => {
      if (nowMs - checkedMs >= RELOAD_INTERVAL_MS) {
        checkedMs = nowMs
        reload().catch((error: unknown) => complain(asFailure(error, file)))
      }
      return ring.check(token, scope, nowMs)
    }
  }
}

const asFailure = (error: unknown, file: string): Failure =>
  error instanceof Failure
    ? error
    : new Failure('E_USAGE', `${file} can not be read`, { cause: error })
