import type { ShareSettings } from '../statistics/share-incidents.ts'

/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Findings by chance that a tenant may see in a month. */
  falseFindingsPerTenantMonth: 0.004,
  /** Steps and non-empty minutes before a fact of an agent is judged. */
  armTrials: 30,
  armWindows: 10,
  /** A rise of the missing share that is never worth a finding. */
  effectMin: 0.1,
  /** Relative rise that is given way, and the same until days are learned. */
  tolerance: 0.3,
  earlyTolerance: 1,
  fullAfterDays: 3,
  recoveryNats: 6,
  acceptAfterDays: 7,
  /** Steps of an emitter and agent before its standing score is told. */
  scoreSteps: 50,
  /** A standing score below this is told, once; the finding ends above this and a tenth. */
  scoreMin: 0.75
}

export type Settings = ShareSettings & { scoreSteps: number; scoreMin: number }
