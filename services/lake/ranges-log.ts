import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import { commitInfo, fileActions, transaction, type Action } from './delta-actions.ts'
import { commitPath, readActions } from './delta-log.ts'
import type { Files } from './files.ts'
import type { Entry } from './head.ts'

/** The table that decides. */
export const RANGES = 'ranges'

/** Actions of a commit of `ranges`: its own rows, and the whole commit as its information. */
export const rangesActions = (entry: Entry, extra: readonly Action[] = []): Action[] => {
  const { commit, attempt, parent } = entry
  return [
    { commitInfo: { ...commitInfo(entry), tallystream: { attempt, parent, commit } } },
    ...extra,
    { txn: transaction(entry) },
    ...fileActions(entry, RANGES)
  ]
}

/** What folding needs of a commit; what else it says is not looked at. */
const count = z.int().min(0)
const Decision = z.object({
  timestamp: z.number(),
  tallystream: z.object({
    attempt: z.string(),
    parent: z.string(),
    commit: z.object({
      kind: z.string(),
      generation: z.string(),
      ranges: z.array(
        z.object({
          topic: z.string(),
          partition: count,
          incarnation: z.string(),
          first: count,
          next: count
        })
      ),
      adds: z.array(z.object({ table: z.string(), path: z.string(), bytes: count, rows: count })),
      removes: z.array(z.object({ table: z.string(), path: z.string() })),
      state: z.record(z.string(), z.unknown())
    })
  })
})

/** @throws Failure E_LAKE_CORRUPT when a commit of `ranges` does not say what it decided. */
export const entryOf = (version: number, actions: readonly Action[]): Entry => {
  const info = actions.find((action) => action.commitInfo !== undefined)?.commitInfo
  if (info?.tallystream === undefined || !Decision.safeParse(info).success) {
    const path = commitPath(RANGES, version)
    throw new Failure('E_LAKE_CORRUPT', `${path} was not written by this product`, {
      hint: 'Only the lake may write to the table ranges; remove the foreign commit.'
    })
  }
  const { attempt, parent, commit } = info.tallystream
  return { version, timestampMs: info.timestamp, attempt, parent, commit }
}

/** One commit of `ranges`; null when there is none. */
export const readEntry = async (files: Files, version: number): Promise<Entry | null> => {
  const actions = await readActions(files, RANGES, version)
  return actions === null ? null : entryOf(version, actions)
}
