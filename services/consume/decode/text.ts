import { FORBIDDEN_CHARACTERS, TEXT_LENGTH_MAX } from '../../../schemas/event.ts'
import { Failure } from '../../../schemas/failure.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bounds verbatim JSON in an event: a usage block has a few hundred bytes. 64 KiB. */
export const JSON_BYTES_MAX = 65_536

/**
 * Refuses a label that is empty, too long, no UTF-8, or that carries control or invisible
 * characters. Plain ASCII is settled by a scan of the bytes.
 */
export const checkLabel = (bytes: Uint8Array, start: number, end: number): void => {
  if (end === start)
    throw new Failure('E_RECORD_UNREADABLE', 'an empty string where a name belongs')
  if (end - start > TEXT_LENGTH_MAX * 4) tooLong(end - start)
  let wide = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte < 0x20 || byte === 0x7f) forbidden(bytes, start, end)
    if (byte >= 0x80) wide = true
  }
  if (wide) checkWide(bytes, start, end)
  else if (end - start > TEXT_LENGTH_MAX) tooLong(end - start)
}

/** Refuses JSON text that is no UTF-8 or too long. */
export const checkText = (bytes: Uint8Array, start: number, end: number): void => {
  if (end - start > JSON_BYTES_MAX) {
    throw new Failure(
      'E_RECORD_UNREADABLE',
      `a block of ${end - start} bytes, over ${JSON_BYTES_MAX}`
    )
  }
  for (let at = start; at < end; at++) {
    if (bytes[at]! < 0x80) continue
    decodeUtf8(bytes, start, end)
    return
  }
}

const checkWide = (bytes: Uint8Array, start: number, end: number): void => {
  const value = decodeUtf8(bytes, start, end)
  if (FORBIDDEN_CHARACTERS.test(value)) forbidden(bytes, start, end)
  if (value.length > TEXT_LENGTH_MAX) tooLong(value.length)
}

/** @throws Failure E_RECORD_UNREADABLE */
export const decodeUtf8 = (bytes: Uint8Array, start: number, end: number): string => {
  try {
    return utf8.decode(bytes.subarray(start, end))
  } catch (cause) {
    throw new Failure('E_RECORD_UNREADABLE', 'a string is not UTF-8', { cause })
  }
}

const forbidden = (bytes: Uint8Array, start: number, end: number): never => {
  const shown = JSON.stringify(
    Buffer.from(bytes.subarray(start, Math.min(end, start + 80))).toString()
  )
  throw new Failure('E_RECORD_UNREADABLE', `control or invisible characters in ${shown}`)
}

const tooLong = (length: number): never => {
  throw new Failure(
    'E_RECORD_UNREADABLE',
    `a name of ${length} characters, over ${TEXT_LENGTH_MAX}`
  )
}
