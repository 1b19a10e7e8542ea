/**
 * Which place in arrays belongs to what was seen lately, by identity (see `identity.ts`): like
 * `recent.ts` a map that keeps the latest, drops what was idle for long and never grows beyond a
 * bound, but in typed arrays, for what comes and goes a hundred thousand times a minute.
 */

export type RecentPlaces = {
  max: number
  idleMs: number
  size: number
  /** By place: identity, when it was last seen, and its neighbours in line by that. */
  identities: Float64Array
  lastMs: Float64Array
  older: Int32Array
  newer: Int32Array
  oldest: number
  newest: number
  /** Places by identity: open addressing, linear probing, twice as long as there are places. */
  table: Int32Array
}

export const NO_PLACE = -1

export const createPlaces = (max: number, idleMs: number): RecentPlaces => ({
  max,
  idleMs,
  size: 0,
  identities: new Float64Array(max),
  lastMs: new Float64Array(max),
  older: new Int32Array(max).fill(NO_PLACE),
  newer: new Int32Array(max).fill(NO_PLACE),
  oldest: NO_PLACE,
  newest: NO_PLACE,
  table: new Int32Array(2 ** Math.ceil(Math.log2(2 * max))).fill(NO_PLACE)
})

/** Where an identity's search begins: identities are hashes, whose low bits are even. */
const homeOf = ({ table }: RecentPlaces, identity: number): number => identity & (table.length - 1)

/** Index in the table of an identity, or of the gap where it would be. */
const find = (places: RecentPlaces, identity: number): number => {
  const { table, identities } = places
  const mask = table.length - 1
  let index = homeOf(places, identity)
  while (table[index] !== NO_PLACE && identities[table[index]!] !== identity) {
    index = (index + 1) & mask
  }
  return index
}

export const placeOf = (places: RecentPlaces, identity: number): number =>
  places.table[find(places, identity)]!

/**
 * Puts an identity last in line, in the place that it has or a free one; when there is none, in the
 * place of what waited longest. The caller fills a place that was `NO_PLACE` before.
 */
export const touchPlace = (places: RecentPlaces, identity: number, ms: number): number => {
  let place = placeOf(places, identity)
  if (place === NO_PLACE) {
    if (places.size === places.max) {
      place = places.oldest
      unlink(places, place)
      removeFromTable(places, places.identities[place]!)
    } else place = places.size++
    places.identities[place] = identity
    places.table[find(places, identity)] = place
  } else unlink(places, place)
  places.lastMs[place] = ms
  link(places, place)
  return place
}

const link = (places: RecentPlaces, place: number): void => {
  const { older, newer, newest } = places
  older[place] = newest
  newer[place] = NO_PLACE
  if (newest === NO_PLACE) places.oldest = place
  else newer[newest] = place
  places.newest = place
}

const unlink = (places: RecentPlaces, place: number): void => {
  const { older, newer } = places
  const [before, after] = [older[place]!, newer[place]!]
  if (before === NO_PLACE) places.oldest = after
  else newer[before] = after
  if (after === NO_PLACE) places.newest = before
  else older[after] = before
}

/** Closes the gap, so that every search still ends at what it looks for. */
const removeFromTable = (places: RecentPlaces, identity: number): void => {
  const { table, identities } = places
  const mask = table.length - 1
  let gap = find(places, identity)
  let index = gap
  for (;;) {
    index = (index + 1) & mask
    const place = table[index]!
    if (place === NO_PLACE) break
    const home = homeOf(places, identities[place]!)
    // It may move up to the gap unless its search begins behind it.
    if (((index - home) & mask) < ((index - gap) & mask)) continue
    table[gap] = place
    gap = index
  }
  table[gap] = NO_PLACE
}

/**
 * Drops what was idle for too long. The last place moves into each that is freed, so that what the
 * caller keeps by place has to move from one to the other; both are the same where it was the last.
 */
export const dropIdlePlaces = (
  places: RecentPlaces,
  nowMs: number,
  dropped: (from: number, to: number) => void
): void => {
  while (places.oldest !== NO_PLACE && nowMs - places.lastMs[places.oldest]! >= places.idleMs) {
    const place = places.oldest
    unlink(places, place)
    removeFromTable(places, places.identities[place]!)
    places.size -= 1
    if (place !== places.size) moveLast(places, place)
    dropped(places.size, place)
  }
}

const moveLast = (places: RecentPlaces, to: number): void => {
  const { identities, lastMs, older, newer, table, size: from } = places
  table[find(places, identities[from]!)] = to
  identities[to] = identities[from]!
  lastMs[to] = lastMs[from]!
  const [before, after] = [older[from]!, newer[from]!]
  older[to] = before
  newer[to] = after
  if (before === NO_PLACE) places.oldest = to
  else newer[before] = to
  if (after === NO_PLACE) places.newest = to
  else older[after] = to
}

/** Places in line, the oldest first: for a checkpoint. */
export const placesInLine = ({ oldest, newer, size }: RecentPlaces): Int32Array => {
  const line = new Int32Array(size)
  for (let i = 0, place = oldest; i < size; i++, place = newer[place]!) line[i] = place
  return line
}
