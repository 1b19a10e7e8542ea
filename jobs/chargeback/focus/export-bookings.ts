import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { NOTHING, type Head } from '../../../services/lake/commit.ts'
import { attach } from '../../../services/lake/snapshot.ts'
import { headOf, nextBooking, type ChargeDoors } from '../ledger.ts'
import { writeWhole } from '../whole-file.ts'
import { focusCopySql, type FocusFormat } from './focus-sql.ts'

/**
 * Exports bookings, each as one file of its number. A booking never changes and holds only what
 * differs from those before, so the sum over the files is the truth at every moment: nothing is
 * exported twice, and what comes late is in a later file. An export that is cut off or repeated
 * writes the same files again.
 */
export type ExportedFile = { booking: number; file: string; rows: number }

const PREFIX = 'export/focus/'

const exportedThrough = (head: Head, stream: string): number => {
  const value = head.state.get(`${PREFIX}${stream}`)
  return typeof value === 'number' ? value : 0
}

export type ExportOptions = {
  out: string
  /** Each reader of exports has a name and so a place of its own. */
  stream: string
  format: FocusFormat
  /** Bookings from this one on are written again; absent = those that the stream lacks. */
  from?: number
}

export const exportBookings = async (
  doors: ChargeDoors,
  { out, stream, format, from }: ExportOptions
): Promise<ExportedFile[]> => {
  const { engine, lake, generation } = doors
  const head = await lake.head()
  const first = from ?? exportedThrough(head, stream) + 1
  const last = nextBooking(head) - 1
  await mkdir(out, { recursive: true })
  await attach(doors, headOf(head, ['charges']))
  const files: ExportedFile[] = []
  for (let booking = first; booking <= last; booking += 1) {
    const rows = `(SELECT * FROM temp.charges WHERE booking = ${booking})`
    const [seen] = await engine.rows(`SELECT count(*) AS n FROM ${rows}`)
    const count = Number(seen?.['n'] ?? 0)
    if (count === 0) continue
    const file = path.join(out, `focus-${String(booking).padStart(8, '0')}.${format}`)
    await writeWhole(file, (unfinished) => engine.run(focusCopySql(rows, unfinished, { format })))
    files.push({ booking, file, rows: count })
  }
  if (last > exportedThrough(head, stream)) {
    await lake.commit(() => ({
      ...NOTHING,
      kind: 'charge',
      generation,
      state: { [`${PREFIX}${stream}`]: last }
    }))
  }
  return files
}
