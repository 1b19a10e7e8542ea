/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Times that a call must give the same result to be a loop: the field's convention. */
  repeatsMin: 3,
  /** The same where results are not recorded, so that polling can not be told from a loop. */
  repeatsBlindMin: 5,
  /** Steps within which they must lie, per required repeat beyond the first. */
  stepsBetweenMax: 4,
  /** Times that a tool or agent may appear on one path of the call tree with the same arguments. */
  recursionSameMin: 3,
  /** The same with other or unknown arguments: well before the usual limit of 25 steps. */
  recursionDepthMin: 6,
  /** Loops that ended by themselves in a tenant before they count as its habit. */
  habitAfter: 3,
  /** Minutes without another loop of the kind after which an incident is over. */
  quietMinutes: 60,
  /** Cost per hour, in USD, from which a loop is critical. */
  criticalUsdPerHour: 10,
  /** Known cost per hour, in USD, below which a loop is for information only. */
  costFloorUsdPerHour: 0.01
}

export type Settings = Readonly<typeof SETTINGS>
