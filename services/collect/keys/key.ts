import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'

/**
 * API keys. A token is `tally_<id>_<secret>` with 256 random bits of secret, so a keyed hash
 * (HMAC-SHA-256 with a salt of its own) is as good at rest as a slow one and costs microseconds:
 * slow hashes protect secrets that people invent. The token itself is shown once and never kept.
 */

export const SCOPES = ['ingest', 'read', 'admin'] as const
/** What a request needs; `admin` has all of them. */
export type NeededScope = (typeof SCOPES)[number]

/** `read:tenant/acme` reads what is acme's; `read` reads what is the key's tenant's, or all. */
const READ_TENANT = /^read:tenant\/(.+)$/
export type Scope = NeededScope | `read:tenant/${string}`

export const Scope = z.custom<Scope>(
  (text) =>
    typeof text === 'string' && (READ_TENANT.test(text) || SCOPES.some((scope) => scope === text)),
  'ingest, read, read:tenant/<name> or admin'
)

const HASH = /^hmac-sha256:[\w-]{22}:[\w-]{43}$/

/** One key as the key file keeps it. */
export const KeyEntry = z
  .strictObject({
    id: z.string().regex(/^[a-z\d]{8,32}$/),
    hash: z.string().regex(HASH, 'hmac-sha256:<salt>:<digest>, as `createKey` writes it'),
    scopes: z
      .array(Scope)
      .min(1)
      .refine((scopes) => tenantsRead(scopes).length < 2, 'a key reads one tenant, or all'),
    /** The only tenant that the key may act for; absent or null = any. */
    tenant: z.string().min(1).nullish(),
    name: z.string().nullish(),
    created: z.iso.datetime({ offset: true }).nullish(),
    expires: z.iso.datetime({ offset: true }).nullish()
  })
  .refine(
    ({ tenant, scopes }) => tenant == null || tenantsRead(scopes).every((name) => name === tenant),
    'a key that is bound to a tenant reads no other'
  )
export type KeyEntry = z.infer<typeof KeyEntry>

const tenantsRead = (scopes: readonly Scope[]): string[] =>
  scopes.flatMap((scope) => READ_TENANT.exec(scope)?.[1] ?? [])

/** Whether a key may do what a request needs, as far as tenants are not concerned. */
export const hasScope = ({ scopes }: Pick<KeyEntry, 'scopes'>, needed: NeededScope): boolean =>
  scopes.some(
    (scope) =>
      scope === needed || scope === 'admin' || (needed === 'read' && READ_TENANT.test(scope))
  )

/** The tenant whose rows alone a key reads; null = it reads everybody's. @throws Failure E_FORBIDDEN */
export const tenantRead = ({
  id,
  tenant,
  scopes
}: Pick<KeyEntry, 'id' | 'tenant' | 'scopes'>): string | null => {
  const one = tenant ?? tenantsRead(scopes)[0]
  if (tenant == null && scopes.some((scope) => scope === 'read' || scope === 'admin')) return null
  if (one !== undefined) return one
  throw new Failure('E_FORBIDDEN', `API key ${id} reads nothing`)
}

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
