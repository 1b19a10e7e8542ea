import type { DetectRows } from '../../jobs/detect/fold-memory.ts'
import type { LandedSnapshots, Snapshot } from '../../jobs/detect/snapshots.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { DetectBugs } from './detector.ts'
import { landJson, type Shelf } from './memory-encoder.ts'
import type { TableReader } from './rows.ts'
import { openTally } from './tally-fold.ts'

/** What detection asks of rows, over files of JSON: one a state, one a commit's findings. */
export const detectRows = (shelf: Shelf, reader: TableReader, bugs: DetectBugs): DetectRows => {
  let written: ReadonlyMap<string, Uint8Array> = new Map()
  return {
    open: async (state) => openTally(reader, state),
    states: (head) => readStates(reader, head),
    landStates: (states, { untilMs }) => {
      const older = written
      written = new Map([...written, ...states])
      const wrong = [...states].map(([id, state]) => [id, older.get(id) ?? state] as const)
      return landStates(shelf, bugs.savesOldStates === true ? new Map(wrong) : states, untilMs)
    },
    landFindings: (rows) => landJson(shelf, 'findings', rows)
  }
}

type StateRow = { id: string; untilMs: number; text: string }

const readStates = async (
  reader: TableReader,
  head: Head
): Promise<Map<string, Snapshot & { state: Uint8Array }>> => {
  const found = new Map<string, Snapshot & { state: Uint8Array }>()
  for (const path of head.files.get('fold_states')?.keys() ?? []) {
    for (const { id, untilMs, text } of await reader.file<StateRow>('fold_states', path)) {
      const state = Buffer.from(text)
      found.set(id, { paths: [path], untilMs, bytes: state.length, state })
    }
  }
  return found
}

const landStates = async (
  shelf: Shelf,
  states: ReadonlyMap<string, Uint8Array>,
  untilMs: number
): Promise<LandedSnapshots> => {
  const landed: LandedSnapshots = { files: [], snapshots: new Map() }
  for (const [id, state] of states) {
    const row: StateRow = { id, untilMs, text: Buffer.from(state).toString() }
    const file = await landJson(shelf, 'fold_states', [row])
    landed.files.push(file)
    landed.snapshots.set(id, { paths: [file.path], untilMs, bytes: state.length })
  }
  return landed
}
