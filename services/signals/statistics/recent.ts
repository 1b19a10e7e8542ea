/**
 * What is remembered of things that come and go (operations, conversations, traces): a map that
 * keeps the latest, drops what was idle for long, and never grows beyond a bound. Entries are
 * plain JSON, so that a checkpoint holds them as they are.
 */

export type Dated = { lastMs: number }

export type Recent<Entry extends Dated> = {
  entries: Map<string, Entry>
  max: number
  idleMs: number
  /** Walks along the entries by age, and whose it is: a new walk would pass all that are gone. */
  walk: { entries: Map<string, Entry>; keys: Iterator<string> } | null
}

export const createRecent = <Entry extends Dated>(max: number, idleMs: number): Recent<Entry> => ({
  entries: new Map(),
  max,
  idleMs,
  walk: null
})

/** Puts an entry last in line, and drops the one that waited longest when there are too many. */
export const remember = <Entry extends Dated>(
  recent: Recent<Entry>,
  key: string,
  entry: Entry
): void => {
  recent.entries.delete(key)
  recent.entries.set(key, entry)
  if (recent.entries.size <= recent.max) return
  if (recent.walk?.entries !== recent.entries) {
    recent.walk = { entries: recent.entries, keys: recent.entries.keys() }
  }
  recent.entries.delete(recent.walk.keys.next().value!)
}

/** Drops what was idle for too long, and returns it. Entries are in line by their last use. */
export const dropIdle = <Entry extends Dated>(
  recent: Recent<Entry>,
  nowMs: number
): [string, Entry][] => {
  const dropped: [string, Entry][] = []
  for (const pair of recent.entries) {
    if (nowMs - pair[1].lastMs < recent.idleMs) break
    dropped.push(pair)
  }
  for (const [key] of dropped) recent.entries.delete(key)
  return dropped
}
