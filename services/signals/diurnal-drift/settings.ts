import { alarmNats } from '../statistics/false-alarm-budget.ts'
import type { RiseSettings } from '../statistics/rise-detector.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month; drift of baselines adds as many again. */
  falseFindingsPerTenantMonth: 0.004,
  /** Days before anything is told: one of each weekday. */
  armDays: 7,
  armTrials: 200,
  armWindows: 50,
  /** Rise in share against the same hour, below which nothing is worth telling. */
  effectMin: 0.1,
  /** The same for errors, refusals, format failures and judged scores. */
  qualityEffectMin: 0.04,
  /** Relative rise that is never worth one. */
  tolerance: 0.3,
  earlyTolerance: 0.5,
  fullAfterDays: 14,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Difference between bad and quiet hours from which an evaluation at a quiet hour misleads. */
  clockEffectMin: 0.05
}

export type Settings = Readonly<typeof SETTINGS>

export const riseSettings = (
  settings: Settings,
  { series, isLatency }: { series: number; isLatency: boolean }
): RiseSettings => ({
  ...settings,
  effectMin: isLatency ? settings.effectMin : settings.qualityEffectMin,
  alarmNats: alarmNats(settings.falseFindingsPerTenantMonth, series)
})
