import { CHARGE_KEYS, CHARGE_MEASURES } from '../../schemas/charges.ts'
import { PRICED_BUCKETS, PRICED_MODALITIES } from '../../services/rates/prices/buckets.ts'

/**
 * Groups of usage become charge lines, one for each class of tokens. `priced` joins a group (`u`)
 * with its negotiated price (`c`) and its list price (`l`).
 */

const KEY_NAMES = CHARGE_KEYS.map(({ name }) => name)
const MEASURE_NAMES = CHARGE_MEASURES.map(({ name }) => name)

type Side = 'c' | 'l'

/** Modalities of a bucket that have a price of their own. */
const modalitiesOf = (bucket: string) => PRICED_MODALITIES.filter(({ within }) => within === bucket)

const hasOwnPrice = (name: string): string =>
  `(coalesce(c.pico_extra_${name}, 0) <> 0 OR coalesce(l.pico_extra_${name}, 0) <> 0)`

/** Tokens of a bucket that are charged at the bucket's own price. */
const bucketQuantity = (bucket: string): string =>
  [
    `u.q_${bucket}`,
    ...modalitiesOf(bucket).map(
      ({ name }) => `CASE WHEN ${hasOwnPrice(name)} THEN u.q_${name} ELSE 0 END`
    )
  ].join(' - ')

/** A group is priced when every class of tokens that it has is. */
export const isPricedSql = (side: Side): string =>
  `(${[
    `${side}.price_id IS NOT NULL`,
    ...PRICED_BUCKETS.map(({ name }) => `(u.q_${name} = 0 OR ${side}.pico_${name} IS NOT NULL)`)
  ].join(' AND ')})`

const TOKENS = PRICED_BUCKETS.map(({ name }) => `u.q_${name}`).join(' + ')

/** What a caller without a cache would have paid more: reads less writes' surcharge. */
const savedSql = (meter: string, quantity: string): string =>
  meter === 'in_cache_read' || meter.startsWith('in_cache_write')
    ? `CASE WHEN u.c_priced THEN (${quantity}) * (c.pico_in_uncached - c.pico_${meter}) END`
    : 'NULL'

type Line = { meter: string; quantity: string; unit: (side: Side) => string; where: string }

const TOKEN_LINES: readonly Line[] = [
  ...PRICED_BUCKETS.map(({ name }) => ({
    meter: name,
    quantity: bucketQuantity(name),
    unit: (side: Side) => `${side}.pico_${name}`,
    where: `${bucketQuantity(name)} <> 0`
  })),
  ...PRICED_MODALITIES.map(({ name, within }) => ({
    meter: name,
    quantity: `u.q_${name}`,
    unit: (side: Side) => `(${side}.pico_${within} + ${side}.pico_extra_${name})`,
    where: `u.q_${name} <> 0 AND ${hasOwnPrice(name)}`
  }))
]

/** A SELECT of ledger columns; what is not given is null. */
export const lineSql = (given: Readonly<Record<string, string>>, from: string): string => {
  const value = (name: string): string => given[name] ?? 'NULL'
  return `SELECT ${[...CHARGE_KEYS, ...CHARGE_MEASURES]
    .map(({ name, type }) => `(${value(name)})::${type} AS ${name}`)
    .join(', ')} ${from}`
}

/** What a line takes over from its group `u`. */
export const OF_GROUP: Readonly<Record<string, string>> = {
  category: "'usage'",
  charge_start: "date_trunc('day', u.slot)",
  charge_end: "date_trunc('day', u.slot) + INTERVAL 1 DAY",
  ...Object.fromEntries(
    [
      'tenant',
      'project',
      'team',
      'tags',
      'provider',
      'provider_account',
      'model',
      'region',
      'cache_pool',
      'waste'
    ].map((name) => [name, `u.${name}`])
  ),
  service_tier: 'u.tier'
}

const priced = (side: Side, sql: string): string => `CASE WHEN u.${side}_priced THEN ${sql} END`

const tokenLine = ({ meter, quantity, unit, where }: Line): string => {
  const cost = priced('c', `(${quantity}) * ${unit('c')}`)
  return lineSql(
    {
      ...OF_GROUP,
      meter: `'${meter}'`,
      price_id: priced('c', 'c.price_id'),
      list_unit_pico: priced('l', unit('l')),
      unit_pico: priced('c', unit('c')),
      quantity,
      list_pico: priced('l', `(${quantity}) * ${unit('l')}`),
      contracted_pico: cost,
      billed_pico: cost,
      saved_pico: savedSql(meter, quantity)
    },
    `${FROM} WHERE ${where}`
  )
}

const FROM = `FROM temp.groups u
  LEFT JOIN temp.contracted_prices c ON c.row_number = u.c_row
  LEFT JOIN temp.list_prices l ON l.row_number = u.l_row`

/** Calls cost nothing by themselves; their rows carry what is told per call. */
const callsLine = lineSql(
  {
    ...OF_GROUP,
    meter: `CASE WHEN ${TOKENS} > 0 THEN 'calls' ELSE 'calls_without_tokens' END`,
    price_id: `CASE WHEN ${TOKENS} > 0 THEN ${priced('c', 'c.price_id')} END`,
    quantity: 'u.calls',
    list_pico: '0',
    contracted_pico: '0',
    billed_pico: '0',
    metered_pico: 'u.metered_pico',
    late: 'u.late',
    energy_low_uj: 'u.energy_low_uj',
    energy_mid_uj: 'u.energy_mid_uj',
    energy_high_uj: 'u.energy_high_uj',
    local_tokens: 'u.local_tokens',
    reported_tokens: 'u.reported_tokens'
  },
  FROM
)

/** Lines of one price with what differs only by slot or size of prompt put together. */
export const linesSql = (): string => {
  const lines = [...TOKEN_LINES.map(tokenLine), callsLine].join('\nUNION ALL ')
  return summedSql(`(${lines})`)
}

/** Sums of a relation of ledger rows by what tells charges apart. */
export const summedSql = (relation: string): string =>
  `SELECT ${KEY_NAMES.join(', ')}, ${MEASURE_NAMES.map((name) => `sum(${name})::BIGINT AS ${name}`).join(', ')}
   FROM ${relation} GROUP BY ${KEY_NAMES.join(', ')}`

/** What is to be booked so that `booked` plus it is `fresh`. */
export const differenceSql = (fresh: string, booked: string): string => {
  const keys = KEY_NAMES.join(', ')
  const minus = MEASURE_NAMES.map((name) => `-${name} AS ${name}`).join(', ')
  const isChanged = MEASURE_NAMES.map((name) => `coalesce(sum(${name}), 0) <> 0`).join(' OR ')
  return `${summedSql(
    `(SELECT ${keys}, ${MEASURE_NAMES.join(', ')} FROM ${fresh}
      UNION ALL SELECT ${keys}, ${minus} FROM ${booked})`
  )} HAVING ${isChanged}`
}
