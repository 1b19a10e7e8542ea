import type { IncomingHttpHeaders } from 'node:http'
import { Failure } from '../../../schemas/failure.ts'
import type { KeyRing } from '../keys/key-ring.ts'

/** Who sends, as far as the request proves it. */
export type Sender = {
  /** The only tenant that the sender may report for; null = any. */
  tenantOnly: string | null
  /** Who pays where the input does not say; null = nobody known. */
  tenant: string | null
}

const BEARER = /^Bearer +(\S+)$/i
/** Names the tenant of a whole request, for exporters that can set headers and nothing else. */
const TENANT_HEADER = 'x-tally-tenant'

/**
 * @param keys null when the collector is open (loopback only, see `assertGuarded`).
 * @throws Failure E_UNAUTHENTICATED, E_FORBIDDEN.
 */
export const identifySender = (
  headers: IncomingHttpHeaders,
  keys: KeyRing | null,
  options: { nowMs: number; tenantDefault: string | null }
): Sender => {
  const key = keys?.check(tokenOf(headers), 'ingest', options.nowMs)
  const tenantOnly = key?.tenant ?? null
  const named = headers[TENANT_HEADER]
  const tenant = tenantOnly ?? (typeof named === 'string' ? named : null) ?? options.tenantDefault
  return { tenantOnly, tenant }
}

/** The key that a request carries. */
export const tokenOf = (headers: IncomingHttpHeaders): string | null => {
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1]
  const apiKey = headers['x-api-key']
  return bearer ?? (typeof apiKey === 'string' ? apiKey : null)
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws Failure E_USAGE when a collector without keys would listen to the network. */
export const assertGuarded = (host: string, keys: KeyRing | null): void => {
  if (keys !== null || LOOPBACK.has(host)) return
  throw new Failure('E_USAGE', `refusing to listen on ${host} without API keys`, {
    hint: 'Name a key file, or listen on 127.0.0.1.'
  })
}
