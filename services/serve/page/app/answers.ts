import type { z } from 'zod'
import type { BillResult } from '../../bills.ts'
import type { Incident } from '../../findings.ts'
import type { ForecastResult } from '../../forecast.ts'
import type { PanelResult } from '../../panel.ts'
import type { RangeResult } from '../../range.ts'
import type { LakeResult, Totals as TotalsResult } from '../../result.ts'
import type { StatementLine } from '../../statement.ts'
import type { Node } from '../../trace-tree.ts'

/** Answers of the API as the page reads them; what has a schema of its own takes its type. */

export type { Incident, Node }
export type Lake = { lake: z.infer<typeof LakeResult> }
export type Ranged = Lake & { range: z.infer<typeof RangeResult>; sql: string }
export type Totals = z.infer<typeof TotalsResult>
export type Bill = z.infer<typeof BillResult>
export type Panel = z.infer<typeof PanelResult>
export type Numbers = (number | null)[]
export type Event = Record<string, unknown> & {
  id: string
  time: string
  tenant: string
  kind: string
}

type Top = { name: string | null; calls: number; cost_usd: string | null }[]

export type Overview = Ranged & {
  totals: Totals
  before: Totals
  series: {
    step_s: number
    time: number[]
    cost_usd: Numbers
    calls: Numbers
    errors: Numbers
    cache_hit_rate: Numbers
    energy_mid_j: Numbers
    tokens: Record<string, Numbers>
  }
  top_tenants: Top
  top_models: Top
  bills: Bill[]
  open_findings: Record<'total' | 'info' | 'warning' | 'critical', number>
}

export type Findings = Lake & { findings: Incident[]; next: string | null }

export type OneFinding = Lake & {
  finding: Incident
  history: {
    detected_at: string
    status: string
    severity: string
    cost_usd_per_hour: string | null
  }[]
  range: { from: string; to: string }
  change_at: string
  series: Panel | null
  evidence: { events: Event[]; filters: string[]; sql: string }
  runbook: { name: string; markdown: string | null }
}

type Key = Record<string, string | null>

export type Explored = Ranged & {
  groups: { key: Key; values: Record<string, number | null> }[]
  more: boolean
  total: Record<string, number | null>
  series: {
    step_s: number
    time: number[]
    groups: { key: Key; values: Record<string, Numbers> }[]
  } | null
}

export type Catalog = {
  measures: { id: string; title: string; unit: string }[]
  dimensions: { id: string; title: string }[]
}

export type Events = Ranged & { events: Event[]; next: string | null }

export type Trace = Lake & {
  trace_id: string
  started_at: string
  duration_ms: number
  cost_usd: string | null
  events: Event[]
  nodes: Node[]
  truncated: boolean
  sql: string
}

export type Tenants = Ranged & {
  tenants: { tenant: string; totals: Totals }[]
  next: string | null
}

export type Tenant = Lake & {
  tenant: string
  month: string
  closed_at: string | null
  totals: Totals
  by_model: { model: string | null; calls: number; cost_usd: string | null }[]
  by_day: { day: string[]; cost_usd: Numbers; calls: number[] }
  statement: z.infer<typeof StatementLine>[]
  budget_usd: string | null
  budget_alerts: Pick<Incident, 'fingerprint' | 'severity' | 'detected_at' | 'summary'>[]
  forecast: z.infer<typeof ForecastResult> | null
  sql: string
}

type Side = {
  calls: number
  local_tokens: number | null
  reported_tokens: number | null
  drift_ratio: number | null
  mismatched_calls: number | null
}

export type Reconcile = Ranged & {
  bills: Bill[]
  models: {
    provider: string | null
    model: string | null
    metered_usd: string | null
    unpriced_calls: number
    input: Side
    output: Side
  }[]
  adjustments: {
    provider: string | null
    model: string | null
    rule: string | null
    billed_usd: string | null
    details: string | null
  }[]
}

export type Joules = {
  low_j: number | null
  mid_j: number | null
  high_j: number | null
  calls: number | null
  output_tokens_per_j: number | null
  j_per_call: number | null
}

export type Energy = Ranged & {
  total: Joules
  by_model: (Joules & { name: string | null })[]
  by_tenant: (Joules & { name: string | null })[]
  series: { step_s: number; time: number[]; low_j: Numbers; mid_j: Numbers; high_j: Numbers }
}

export type Months = Lake & {
  months: {
    month: string
    closed_at: string | null
    hours: number
    hours_past: number
    hours_settled: number
    calls: number
    provisional_calls: number
    unpriced_calls: number
    cost_usd: string | null
  }[]
}
