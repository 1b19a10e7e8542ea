export type Values = Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>

/** The array, or a longer one that begins with it. */
export const grown = <Array extends Values>(array: Array, length: number): Array => {
  if (length <= array.length) return array
  const wide = new (array.constructor as new (length: number) => Array)(length)
  wide.set(array)
  return wide
}
