/**
 * Bytes with their length before them, as the parts of a record are framed: a zigzag varint, in
 * which -1 stands for null.
 */

/** Bytes that a zigzag varint of a non-negative number takes. */
export const varintBytes = (value: number): number => {
  let bytes = 1
  for (let rest = value * 2; rest > 0x7f; rest = Math.floor(rest / 128)) bytes++
  return bytes
}

export const writeVarint = (bytes: Buffer, value: number, at: number): number => {
  let position = at
  let rest = value * 2
  while (rest > 0x7f) {
    bytes[position++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  bytes[position++] = rest
  return position
}

/** A null's length is -1, which zigzag turns into 1. */
const NULL_LENGTH = 1

/** @returns the place behind what was written. */
export const writeBytes = (bytes: Buffer, value: Uint8Array | null, at: number): number => {
  if (value === null) {
    bytes[at] = NULL_LENGTH
    return at + 1
  }
  const position = writeVarint(bytes, value.length, at)
  bytes.set(value, position)
  return position + value.length
}

/** Bytes that a part takes with its length. */
export const framedBytes = (part: Uint8Array | null): number =>
  part === null ? 1 : varintBytes(part.length) + part.length
