import { alarmNats } from '../statistics/false-alarm-budget.ts'
import type { RiseSettings } from '../statistics/rise-detector.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month. */
  falseFindingsPerTenantMonth: 0.004,
  /** Calls and non-empty minutes before a component is judged. */
  armTrials: 30,
  armWindows: 10,
  /** Rise of the failed share that is never worth a finding. */
  effectMin: 0.05,
  /** Relative rise that is never worth one, and while a component is young. */
  tolerance: 0.3,
  earlyTolerance: 1,
  fullAfterDays: 3,
  recoveryNats: 6,
  acceptAfterDays: 3,
  /** Failures beyond the usual, in a quarter of an hour, that make a component an axis. */
  excessFailuresMin: 3,
  /** Share of a component's calls that these must make. */
  excessShareMin: 0.05
}

export type Settings = Readonly<typeof SETTINGS>

export const riseSettings = (settings: Settings, series: number): RiseSettings => ({
  ...settings,
  alarmNats: alarmNats(settings.falseFindingsPerTenantMonth, series)
})
