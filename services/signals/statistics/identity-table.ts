/** Identities (see `identity.ts`) by open addressing: NaN where nothing is, a power of two long. */
export type IdentityTable = Float64Array

export const emptyTable = (length: number): IdentityTable =>
  new Float64Array(length).fill(Number.NaN)

/** Index of an identity, or of the gap where it would be; its low bits are even. */
export const findIdentity = (table: IdentityTable, identity: number): number => {
  const mask = table.length - 1
  let index = identity & mask
  for (;;) {
    const other = table[index]!
    if (other === identity || Number.isNaN(other)) return index
    index = (index + 1) & mask
  }
}
