import { INPUT_BYTES_MAX, pick, type Material } from './material.ts'
import { mutateJson } from './mutate-json.ts'

type Change = (bytes: Buffer, material: Material) => Buffer

/** Some changes of an input, one on top of the other. */
export const mutate = (bytes: Buffer, material: Material): Buffer => {
  let changed = bytes
  const changes = 2 ** material.random.integer(0, 4)
  for (let change = 0; change < changes; change++) changed = mutateOnce(changed, material)
  return changed.subarray(0, INPUT_BYTES_MAX)
}

const mutateOnce = (bytes: Buffer, material: Material): Buffer => {
  const { random } = material
  const json = random.uniform() < 0.5 ? mutateJson(bytes, material) : null
  return json ?? CHANGES[random.integer(0, CHANGES.length)]!(bytes, material)
}

/** Bytes and lengths that decoders have stumbled over. */
const BYTES = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x5b, 0x5c, 0x7b, 0x7f, 0x80, 0xc3, 0xed, 0xff]
const NUMBERS = [
  '0',
  '-1',
  '1e999',
  '-0',
  '9007199254740993',
  '1e-9',
  '0.1',
  '18446744073709551616',
  'NaN',
  '1'.repeat(400)
]

const put = (bytes: Buffer, at: number, remove: number, more: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + remove)])

const place = (bytes: Buffer, { random }: Material): number => random.integer(0, bytes.length + 1)

/** A stretch of an input; short ones are likelier. */
const stretch = (bytes: Buffer, { random }: Material): [number, number] => {
  const from = random.integer(0, bytes.length + 1)
  const length = Math.floor(2 ** (random.uniform() * Math.log2(bytes.length + 2))) - 1
  return [from, Math.min(bytes.length, from + length)]
}

const integer = ({ random }: Material): Buffer => {
  const bytes = Buffer.alloc(8)
  const value = 2n ** BigInt(random.integer(0, 64)) - BigInt(random.integer(0, 2))
  if (random.uniform() < 0.5) bytes.writeBigUInt64BE(value)
  else bytes.writeBigUInt64LE(value)
  const size = 2 ** random.integer(0, 4)
  return bytes.subarray(0, size)
}

const CHANGES: readonly Change[] = [
  // A bit, a byte, an integer of any width, a varint that goes on.
  (bytes, { random }) => {
    if (bytes.length === 0) return bytes
    const copy = Buffer.from(bytes)
    const at = random.integer(0, copy.length)
    copy[at] = copy[at]! ^ (1 << random.integer(0, 8))
    return copy
  },
  (bytes, material) =>
    put(bytes, place(bytes, material), 1, Buffer.from([pick(material.random, BYTES)])),
  (bytes, material) => {
    const more = integer(material)
    return put(bytes, place(bytes, material), more.length, more)
  },
  (bytes, material) => {
    const length = material.random.integer(1, 12)
    return put(bytes, place(bytes, material), 1, Buffer.alloc(length, 0xff))
  },
  // Stretches: away, twice, cut off, taken from another input.
  (bytes, material) => {
    const [from, to] = stretch(bytes, material)
    return put(bytes, from, to - from, Buffer.alloc(0))
  },
  (bytes, material) => {
    const [from, to] = stretch(bytes, material)
    const times = 2 ** material.random.integer(0, 7)
    const more = Array.from({ length: times }, () => bytes.subarray(from, to))
    return put(bytes, to, 0, Buffer.concat(more).subarray(0, INPUT_BYTES_MAX))
  },
  (bytes, material) => bytes.subarray(0, place(bytes, material)),
  (bytes, material) => {
    const other = material.other()
    const [from, to] = stretch(other, material)
    return put(bytes, place(bytes, material), 0, other.subarray(from, to))
  },
  (bytes, material) => {
    const other = material.other()
    return Buffer.concat([
      bytes.subarray(0, place(bytes, material)),
      other.subarray(place(other, material))
    ])
  },
  // Words that the decoder knows, and numbers in text.
  (bytes, material) => {
    if (material.words.length === 0) return bytes
    const word = Buffer.from(pick(material.random, material.words))
    const remove = material.random.uniform() < 0.5 ? word.length : 0
    return put(bytes, place(bytes, material), remove, word)
  },
  (bytes, { random }) => {
    const text = bytes.toString('latin1')
    const numbers = [...text.matchAll(/-?\d+(?:\.\d+)?/g)]
    if (numbers.length === 0) return bytes
    const { index, 0: found } = pick(random, numbers)
    return put(bytes, index, found.length, Buffer.from(pick(random, NUMBERS)))
  }
]
