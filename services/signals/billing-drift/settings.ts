/** Every threshold of the signal; the defaults need no tuning. */
export const SETTINGS = {
  /** Calls that no whole class explains, before a part of a class is named for them. */
  partialCallsMin: 5,
  /** Share of such calls that one identity must explain to be named. */
  identityShareMin: 0.8,
  /** Relative spread of stated to metered cost up to which it is one other price. */
  priceSpreadMax: 0.02,
  /** Agreeing calls in a row after which an incident is over. */
  agreeingToResolve: 50,
  /** Hours without a differing call after which an incident is over. */
  quietHoursToResolve: 24,
  /** Below this many dollars an hour, and this many in all, a difference is for information. */
  materialUsdPerHour: 0.01,
  materialUsd: 1
}

export type Settings = Readonly<typeof SETTINGS>
