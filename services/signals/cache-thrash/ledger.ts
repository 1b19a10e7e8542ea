/**
 * Which prompt prefixes a cache pool saw within the horizon, and when last: an open-addressing
 * table of 32-bit hashes. Memory is bounded by sampling hashes (SHARDS, Waldspurger et al. 2015):
 * when the table is full, only hashes below a halved threshold are kept, and each counts double.
 */

export type Ledger = {
  hashes: Uint32Array
  seconds: Uint32Array
  /** Tokens of the prompt that last went through a prefix. */
  tokens: Uint32Array
  used: number
  /** Hashes with this many leading zero bits are kept: each stands for 2^shift of them. */
  shift: number
}

/** Prefixes idle for longer count as new: twice what caches keep without a refresh. */
export const HORIZON_SECONDS = 1_800
/** Slots of the table, 12 bytes each: 768 KiB a pool. */
const SLOTS = 65_536
/** Entries kept at most: half of the slots, so that probing stays short. */
const ENTRIES_MAX = 32_768
/** After clearing expired entries at least this much must be free, or sampling gets coarser. */
const ENTRIES_AFTER_PURGE = 24_576

export const NOT_SAMPLED = -2
export const NEVER_SEEN = -1

export const createLedger = (): Ledger => ({
  hashes: new Uint32Array(SLOTS),
  seconds: new Uint32Array(SLOTS),
  tokens: new Uint32Array(SLOTS),
  used: 0,
  shift: 0
})

/** A prefix as it was last seen: seconds ago, or why there are none, and tokens of its prompt then. */
export type Seen = { gap: number; tokens: number }
const SEEN: Seen = { gap: NEVER_SEEN, tokens: 0 }

/** Notes a prefix of a prompt. The result is reused by the next call. */
export const touch = (
  ledger: Ledger,
  hash: number,
  { second, input }: { second: number; input: number }
): Readonly<Seen> => {
  if (!isSampled(ledger, hash)) return seen(NOT_SAMPLED, 0)
  const slot = findSlot(ledger, hash)
  const known = ledger.hashes[slot] === hash
  const gap = known ? second - ledger.seconds[slot]! : Infinity
  const tokens = known ? ledger.tokens[slot]! : 0
  if (!known) {
    ledger.hashes[slot] = hash
    ledger.used += 1
  }
  ledger.seconds[slot] = known ? Math.max(second, ledger.seconds[slot]!) : second
  ledger.tokens[slot] = Math.round(input)
  if (ledger.used > ENTRIES_MAX) purge(ledger, second)
  return gap > HORIZON_SECONDS ? seen(NEVER_SEEN, 0) : seen(Math.max(0, gap), tokens)
}

const seen = (gap: number, tokens: number): Readonly<Seen> => {
  SEEN.gap = gap
  SEEN.tokens = tokens
  return SEEN
}

const isSampled = (ledger: Ledger, hash: number): boolean =>
  ledger.shift === 0 || hash >>> (32 - ledger.shift) === 0

const findSlot = ({ hashes }: Ledger, hash: number): number => {
  let slot = (Math.imul(hash, 0x9e3779b1) >>> 16) & (SLOTS - 1)
  while (hashes[slot] !== 0 && hashes[slot] !== hash) slot = (slot + 1) & (SLOTS - 1)
  return slot
}

const purge = (ledger: Ledger, now: number): void => {
  let kept = liveEntries(ledger, now)
  while (kept.length > ENTRIES_AFTER_PURGE) {
    ledger.shift += 1
    kept = kept.filter(([hash]) => isSampled(ledger, hash))
  }
  fillLedger(ledger, kept)
}

type Entry = [hash: number, second: number, tokens: number]

const liveEntries = ({ hashes, seconds, tokens }: Ledger, now: number): Entry[] => {
  const entries: Entry[] = []
  for (let slot = 0; slot < SLOTS; slot++) {
    if (hashes[slot] !== 0 && now - seconds[slot]! <= HORIZON_SECONDS) {
      entries.push([hashes[slot]!, seconds[slot]!, tokens[slot]!])
    }
  }
  return entries
}

const fillLedger = (ledger: Ledger, entries: readonly Entry[]): void => {
  ledger.hashes.fill(0)
  ledger.used = entries.length
  for (const [hash, second, tokens] of entries) {
    const slot = findSlot(ledger, hash)
    ledger.hashes[slot] = hash
    ledger.seconds[slot] = second
    ledger.tokens[slot] = tokens
  }
}

/** Only what is within the horizon at `now` is worth keeping. */
export const saveLedger = (
  ledger: Ledger,
  now: number
): { shift: number; entries: Uint32Array } => ({
  shift: ledger.shift,
  entries: Uint32Array.from(liveEntries(ledger, now).flat())
})

export const restoreLedger = (shift: number, entries: Uint32Array): Ledger => {
  const ledger = createLedger()
  ledger.shift = shift
  const live = Array.from({ length: entries.length / 3 }, (_, i): Entry => [
    entries[3 * i]!,
    entries[3 * i + 1]!,
    entries[3 * i + 2]!
  ])
  fillLedger(ledger, live)
  return ledger
}

/** Hash of the part of a text between two positions: 32-bit FNV-1a with a final mix; never 0. */
export const hashPart = (text: string, from: number, to: number): number => {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = (hash ^ (hash >>> 13)) >>> 0
  return hash === 0 ? 1 : hash
}
