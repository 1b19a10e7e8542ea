import { emptyTable, findIdentity, type IdentityTable } from '../statistics/identity-table.ts'

/**
 * Conversations of the running minute: which were counted, by identity, in memory that is used again
 * minute after minute.
 */

export type Conversations = {
  max: number
  size: number
  /** At most three quarters are taken. */
  table: IdentityTable
}

/**
 * Conversations at most, those of several series or sides counted in each: 26,000 calls a second with both
 * sides for a minute, 32 MB. What first speaks after that counts as none, so that votes are of
 * the conversations that spoke before; calls and tokens are added up all the same.
 */
const CONVERSATIONS_MAX = 3 * 2 ** 20
const LENGTH_START = 1024
/** A table this many times longer than was needed is given back. */
const LENGTH_SPARE = 64

export const createConversations = (max = CONVERSATIONS_MAX): Conversations => ({
  max,
  size: 0,
  table: emptyTable(LENGTH_START)
})

/** Whether it is to be counted: it was not so far, and there is room for it. */
export const isNew = (conversations: Conversations, identity: number): boolean => {
  const { table, size, max } = conversations
  const index = findIdentity(table, identity)
  if (table[index] === identity || size === max) return false
  table[index] = identity
  conversations.size += 1
  if (4 * conversations.size > 3 * table.length) conversations.table = lengthened(table)
  return true
}

const lengthened = (table: IdentityTable): IdentityTable => {
  const longer = emptyTable(2 * table.length)
  for (const identity of table) {
    if (!Number.isNaN(identity)) longer[findIdentity(longer, identity)] = identity
  }
  return longer
}

export const clearConversations = (conversations: Conversations): void => {
  const { table, size } = conversations
  const needed = Math.max(LENGTH_START, LENGTH_SPARE * size)
  // Quiet minutes after a rush would take longer to clear its table than to fill theirs.
  if (table.length > needed) conversations.table = emptyTable(LENGTH_START)
  else table.fill(Number.NaN)
  conversations.size = 0
}
