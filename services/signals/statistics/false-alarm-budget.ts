/** Minutes in 30 days: how many windows a busy series has in a month. */
const WINDOWS_PER_MONTH = 43_200
const MINUTE_MS = 60_000

/** Time as a part of a month. */
export const monthShare = (ms: number): number => ms / MINUTE_MS / WINDOWS_PER_MONTH

/**
 * Evidence in nats that a series must reach, from the false findings that a tenant may see in a
 * month. Several series of one tenant share its budget (Bonferroni in nats): doubling the series
 * costs 0.7 nats, which is one or two more sessions, not less sensitivity.
 */
export const alarmNats = (falseFindingsPerTenantMonth: number, seriesOfTenant: number): number =>
  Math.log((WINDOWS_PER_MONTH * Math.max(1, seriesOfTenant)) / falseFindingsPerTenantMonth)

/** What depends on nothing but how many series a tenant has, made once for each number. */
export const perSeriesCount = <Made>(
  make: (series: number) => Made
): ((series: number) => Made) => {
  const made: Made[] = []
  return (series) => (made[series] ??= make(series))
}
