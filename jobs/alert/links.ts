import type { Finding } from '../../schemas/finding.ts'
import type { Links } from './channel.ts'

/** Finds the addresses of a finding's pages. */
export type LinkBook = (finding: Pick<Finding, 'fingerprint' | 'runbook'>) => Links

/**
 * Addresses below the page that users open. Without one there are no links but the runbook's
 * path in the repository, which is better than nothing at three in the night.
 */
export const linkBook =
  (pageUrl: string | null): LinkBook =>
  ({ fingerprint, runbook }) => {
    if (pageUrl === null) return { page: null, runbook: null }
    const base = pageUrl.replace(/\/+$/, '')
    return {
      page: `${base}/incidents/${encodeURIComponent(fingerprint)}`,
      runbook: `${base}/runbooks/${runbookName(runbook)}`
    }
  }

/** `services/signals/cache-thrash/runbook.md` → `cache-thrash`; `…/runbooks/no-data.md` → `no-data`. */
const runbookName = (path: string): string => {
  const parts = path.replace(/\.md$/, '').split('/')
  const last = parts.at(-1) ?? ''
  return encodeURIComponent(last === 'runbook' ? (parts.at(-2) ?? last) : last)
}
