import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/**
 * API keys. A token is `tally_<id>_<secret>` with 256 random bits of secret, so a keyed hash
 * (HMAC-SHA-256 with a salt of its own) is as good at rest as a slow one and costs microseconds:
 * slow hashes protect secrets that people invent. The token itself is shown once and never kept.
 */

export const SCOPES = ['ingest', 'read', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

const HASH = /^hmac-sha256:[\w-]{22}:[\w-]{43}$/

/** One key as the key file keeps it. */
export const KeyEntry = z.strictObject({
  id: z.string().regex(/^[a-z\d]{8,32}$/),
  hash: z.string().regex(HASH, 'hmac-sha256:<salt>:<digest>, as `createKey` writes it'),
  scopes: z.array(z.enum(SCOPES)).min(1),
  /** The only tenant that the key may act for; absent or null = any. */
  tenant: z.string().min(1).nullish(),
  name: z.string().nullish(),
  created: z.iso.datetime({ offset: true }).nullish(),
  expires: z.iso.datetime({ offset: true }).nullish()
})
export type KeyEntry = z.infer<typeof KeyEntry>

const TOKEN = /^tally_([a-z\d]{8,32})_([\w-]{43})$/
const ID_BYTES = 6
const SALT_BYTES = 16
const SECRET_BYTES = 32

export type NewKey = {
  scopes: Scope[]
  tenant: string | null
  name: string | null
  now: Date
  random?: (bytes: number) => Buffer
}

/** A fresh key: the token for the sender and the entry for the file. */
export const createKey = (options: NewKey): { token: string; entry: KeyEntry } => {
  const random = options.random ?? randomBytes
  const id = random(ID_BYTES).toString('hex')
  const token = `tally_${id}_${random(SECRET_BYTES).toString('base64url')}`
  const { scopes, tenant, name, now } = options
  const hash = hashToken(token, random(SALT_BYTES).toString('base64url'))
  return { token, entry: { id, hash, scopes, tenant, name, created: now.toISOString() } }
}

/** Id in a token, or null when it has not the form of one. */
export const tokenId = (token: string): string | null => TOKEN.exec(token)?.[1] ?? null

/** Whether a token belongs to an entry, in a time that does not depend on where they differ. */
export const matchesEntry = (token: string, entry: Pick<KeyEntry, 'hash'>): boolean => {
  const salt = entry.hash.split(':')[1] ?? ''
  return timingSafeEqual(Buffer.from(hashToken(token, salt)), Buffer.from(entry.hash))
}

const hashToken = (token: string, salt: string): string =>
  `hmac-sha256:${salt}:${createHmac('sha256', salt).update(token).digest('base64url')}`
