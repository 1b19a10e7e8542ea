import type { Batch } from './batch.ts'

/** What became of one batch, as its sender saw it. */
export type Entry = {
  first: number
  size: number
  isAcknowledged: boolean
  /** Times that it was sent and no answer came: the log may hold it once for each. */
  unanswered: number
}

/** Every batch that was ever sent. Serials run from 0 without holes. */
export class Ledger {
  readonly entries: Entry[] = []
  serials = 0

  /** Enters a batch as new, and writes its serials into it. */
  open(batch: Batch): Entry {
    const { size } = batch
    const entry = { first: this.serials, size, isAcknowledged: false, unanswered: 0 }
    this.serials += size
    batch.number(entry.first)
    this.entries.push(entry)
    return entry
  }
}

export type Audit = {
  acknowledged: number
  in_log: number
  /** Events that were acknowledged and are not in the log. */
  lost: number
  /** Events that are there more often than they were sent without an answer, plus once if acknowledged. */
  doubled: number
  /** Events that are there twice and may be: sent again, because no answer came. */
  repeated: number
}

/** Holds the ledger against how often the log has each serial. */
export const audit = ({ entries }: Ledger, counts: Uint8Array): Audit => {
  const found: Audit = { acknowledged: 0, in_log: 0, lost: 0, doubled: 0, repeated: 0 }
  for (const { first, size, isAcknowledged, unanswered } of entries) {
    const most = unanswered + Number(isAcknowledged)
    if (isAcknowledged) found.acknowledged += size
    for (let serial = first; serial < first + size; serial++) {
      const count = counts[serial] ?? 0
      found.in_log += count
      if (isAcknowledged && count === 0) found.lost++
      if (count > most) found.doubled++
      else if (count > 1) found.repeated++
    }
  }
  return found
}
