import { emptyTable, findIdentity, type IdentityTable } from './identity-table.ts'

/** A map from identities to small numbers, which grows until it is cleared. */

export type IdentityMap = {
  size: number
  identities: IdentityTable
  values: Int32Array
}

const LENGTH_START = 1024

export const createIdentityMap = (): IdentityMap => withLength(LENGTH_START)

const withLength = (length: number): IdentityMap => ({
  size: 0,
  identities: emptyTable(length),
  values: new Int32Array(length)
})

export const getIdentity = (map: IdentityMap, identity: number): number | undefined => {
  const index = findIdentity(map.identities, identity)
  return map.identities[index] === identity ? map.values[index] : undefined
}

export const setIdentity = (map: IdentityMap, identity: number, value: number): void => {
  const index = findIdentity(map.identities, identity)
  map.values[index] = value
  if (map.identities[index] === identity) return
  map.identities[index] = identity
  map.size += 1
  if (2 * map.size > map.identities.length) grow(map)
}

/** Room is given back where less than this share of it was used. */
const USED_SHARE_MIN = 1 / 16

/** Forgets all; the room stays for as many again. */
export const clearIdentities = (map: IdentityMap): void => {
  if (map.size < map.identities.length * USED_SHARE_MIN) Object.assign(map, createIdentityMap())
  else map.identities.fill(Number.NaN)
  map.size = 0
}

const grow = (map: IdentityMap): void => {
  const { identities, values } = map
  Object.assign(map, withLength(2 * identities.length))
  for (let index = 0; index < identities.length; index++) {
    const identity = identities[index]!
    if (!Number.isNaN(identity)) setIdentity(map, identity, values[index]!)
  }
}

/** Identities and their values in turn, for a checkpoint. */
export const identityPairs = ({ size, identities, values }: IdentityMap): Float64Array => {
  const pairs = new Float64Array(2 * size)
  let at = 0
  for (let index = 0; index < identities.length; index++) {
    const identity = identities[index]!
    if (Number.isNaN(identity)) continue
    pairs[at++] = identity
    pairs[at++] = values[index]!
  }
  return pairs
}

export const fromIdentityPairs = (pairs: ArrayLike<number>): IdentityMap => {
  const map = createIdentityMap()
  for (let at = 0; at < pairs.length; at += 2) setIdentity(map, pairs[at]!, pairs[at + 1]!)
  return map
}
