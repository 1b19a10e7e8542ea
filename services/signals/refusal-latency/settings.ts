import { alarmNats } from '../statistics/false-alarm-budget.ts'
import type { RiseSettings } from '../statistics/rise-detector.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month. */
  falseFindingsPerTenantMonth: 0.004,
  /** Time that a trace may take, in milliseconds; 0 = learned, as `budgetFactor` times the p95. */
  budgetMs: 0,
  budgetFactor: 1.5,
  /** Traces from which a budget is learned. */
  learnTraces: 50,
  /** Share of traces that may exceed the budget: the error budget that burns. */
  errorBudget: 0.01,
  armTrials: 20,
  armWindows: 5,
  effectMin: 0.05,
  tolerance: 0.3,
  earlyTolerance: 1,
  fullAfterDays: 3,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Share of refusals slower than nearly all answers that is never worth a finding. */
  slowRefusalsMin: 0.2
}

export type Settings = Readonly<typeof SETTINGS>

export const riseSettings = (settings: Settings, series: number): RiseSettings => ({
  ...settings,
  alarmNats: alarmNats(settings.falseFindingsPerTenantMonth, series)
})
