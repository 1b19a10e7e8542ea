import { PREFIX_BYTES } from '../race-mapping.ts'

/** The peers' generator writes `tenant-0042`: four digits, so a number below 10,000 fits. */
const DIGITS = 4
const GENERATED = 2_000
const LABEL = 'tenant-'
/** Bits of a byte of a number in Avro; the highest says that another byte follows. */
const VARINT_BASE = 0x80

/** Where the time of an event is: behind its id, in Avro's order of fields. */
const timeAt = (value: Uint8Array): number => PREFIX_BYTES + 1 + (value[PREFIX_BYTES]! >> 1)

/** Time of an event, in the unit of the generator's schema, doubled as Avro's zigzag does. */
export const timeOf = (value: Uint8Array): number => {
  let [at, time, unit] = [timeAt(value), 0, 1]
  for (; value[at]! >= VARINT_BASE; unit *= VARINT_BASE) time += (value[at++]! % VARINT_BASE) * unit
  return time + value[at]! * unit
}

/** Where the tenant's digits are: behind the time. */
const digitsAt = (value: Uint8Array): number => {
  let at = timeAt(value)
  while (value[at++]! >= VARINT_BASE);
  return at + 1 + LABEL.length
}

/**
 * Gives an event to one of so many tenants, in place: more than were generated are split by what
 * differs from event to event. @returns the tenant.
 */
export const giveToTenant = (value: Buffer, tenants: number): string => {
  const at = digitsAt(value)
  const known = Number(value.toString('latin1', at, at + DIGITS))
  const split = known + GENERATED * (value[PREFIX_BYTES + 1]! % Math.ceil(tenants / GENERATED))
  value.write(String(split % tenants).padStart(DIGITS, '0'), at, 'latin1')
  return value.toString('latin1', at - LABEL.length, at + DIGITS)
}
