import { Failure } from '../../schemas/failure.ts'
import type { Commit, Head, Range } from './commit.ts'
import { fileKey, positionKey } from './head.ts'

/**
 * What a commit must satisfy against the head that it would follow. This is the fence against
 * writers that slept: their ranges start where the partition no longer is, or they replace files
 * that are already replaced.
 * @throws Failure E_LAKE_CONFLICT saying what does not fit.
 */
export const checkCommit = (head: Head, commit: Commit): void => {
  checkRanges(head, commit)
  const removed = new Set<string>()
  for (const file of commit.removes) {
    const live = head.files.get(file.table)?.has(file.path) === true
    if (!live || removed.has(fileKey(file))) throw stale(`${fileKey(file)} is not live any more`)
    removed.add(fileKey(file))
  }
  const added = new Set<string>()
  for (const file of commit.adds) {
    const live = head.files.get(file.table)?.has(file.path) === true
    if (live || added.has(fileKey(file))) throw stale(`${fileKey(file)} is there already`)
    added.add(fileKey(file))
  }
}

const checkRanges = (head: Head, commit: Commit): void => {
  const positions = new Map<string, Range>(head.positions)
  for (const range of commit.ranges) {
    const key = positionKey(range)
    checkRange(range)
    // Adopting is the operator's word that a partition goes on elsewhere.
    if (commit.kind !== 'adopt') checkContinues(key, positions.get(key), range)
    positions.set(key, range)
  }
}

const checkRange = ({ first, next, topic, partition }: Range): void => {
  const exact = Number.isSafeInteger(first) && Number.isSafeInteger(next)
  if (exact && first >= 0 && next >= first) return
  throw new Failure('E_INTERNAL', `Range ${first}..${next} of ${topic}/${partition} is not a range`)
}

const checkContinues = (key: string, stored: Range | undefined, range: Range): void => {
  if (stored === undefined) return
  if (stored.incarnation !== range.incarnation) {
    throw stale(`${key} is incarnation ${stored.incarnation}, not ${range.incarnation}`)
  }
  if (stored.next !== range.first) {
    throw stale(`${key} is at ${stored.next}, the range starts at ${range.first}`)
  }
}

const stale = (message: string): Failure =>
  new Failure('E_LAKE_CONFLICT', message, {
    hint: 'Another writer was first: drop this work and read the head again.'
  })
