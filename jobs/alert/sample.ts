import type { Finding } from '../../schemas/finding.ts'

/** A finding with something in every field: for trials of a channel and for tests. */
export const sampleFinding = (changes: Partial<Finding> = {}): Finding => ({
  signal: 'cache-thrash',
  fingerprint: 'cache-thrash/tenant-b/sample-model',
  status: 'firing',
  severity: 'warning',
  tenant: 'tenant-b',
  scope: { model: 'sample-model', route: 'chat' },
  axis: 'prompt',
  started_at: '2026-01-01T08:00:00.000Z',
  detected_at: '2026-01-01T08:07:00.000Z',
  summary: 'Trial: the cache hit rate of tenant-b fell from 71 % to 18 % at 08:00 UTC.',
  before: { hit_rate_pct: 71 },
  after: { hit_rate_pct: 18 },
  cost_usd_per_hour: '12.40',
  culprit: { tenant: 'tenant-a', share_pct: 83 },
  victims: [{ tenant: 'tenant-b' }, { tenant: 'tenant-c' }],
  contributors: [{ mechanism: 'eviction', share_pct: 91 }],
  runbook: 'services/signals/cache-thrash/runbook.md',
  query: "SELECT * FROM windows WHERE tenant = 'tenant-b'",
  generation: 'sample',
  ...changes
})
