import { z } from 'zod'

/** What a signal found. Alerts, API, CLI and the `findings` table all carry this shape. */
export const AXES = ['model', 'prompt', 'retrieval', 'tool', 'provider', 'client'] as const
export const SEVERITIES = ['info', 'warning', 'critical'] as const

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
/** Named figures with units in their names: `hit_rate_pct`, `input_tokens_per_minute`. */
const figures = z.record(z.string(), scalar)

export const Finding = z.strictObject({
  /** Folder name of the signal. */
  signal: z.string(),
  /** Stable over replays and restarts: the same incident has the same fingerprint. */
  fingerprint: z.string(),
  status: z.enum(['firing', 'resolved']),
  severity: z.enum(SEVERITIES),
  /** Whom it concerns; null for a finding about the fleet. */
  tenant: z.string().nullable(),
  /** model, route, tool … that narrow it. */
  scope: z.record(z.string(), z.string()),
  axis: z.enum(AXES).nullable(),
  /** Estimated change point, RFC 3339. */
  started_at: z.iso.datetime(),
  /** End of the window that decided, RFC 3339. */
  detected_at: z.iso.datetime(),
  /** One sentence with figures. */
  summary: z.string(),
  before: figures,
  after: figures,
  /** Decimal string, or null when it can't be priced. */
  cost_usd_per_hour: z.string().nullable(),
  culprit: figures.nullable(),
  victims: z.array(figures),
  contributors: z.array(figures),
  /** Path of the runbook, derived from the folder. */
  runbook: z.string(),
  /** SQL that reproduces the evidence. */
  query: z.string(),
  generation: z.string()
})

export type Finding = z.infer<typeof Finding>
