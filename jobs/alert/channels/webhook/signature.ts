import { createHmac } from 'node:crypto'
import { Failure } from '../../../../schemas/failure.ts'

/** Standard Webhooks 1.0, symmetric: `v1,` and the HMAC-SHA256 of `{id}.{timestamp}.{body}`. */

const PREFIX = 'whsec_'
/** Lengths of a key that the specification allows. */
const KEY_BYTES_MIN = 24
/** Longer keys than the hash's block add nothing. */
const KEY_BYTES_MAX = 64

/** @throws Failure E_USAGE when the secret isn't one; the message never holds the secret. */
export const readKey = (secret: string, file: string): Buffer => {
  const text = secret.trim()
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : ''
  const key = Buffer.from(encoded, 'base64')
  if (key.length >= KEY_BYTES_MIN && key.length <= KEY_BYTES_MAX) return key
  throw new Failure('E_USAGE', `${file} holds no webhook secret: ${key.length} bytes of key`, {
    hint: `Write whsec_ and ${KEY_BYTES_MIN} to ${KEY_BYTES_MAX} random bytes in base64.`
  })
}

export type Signed = { id: string; timestamp: number; body: string }

export const sign = (key: Buffer, { id, timestamp, body }: Signed): string =>
  `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
