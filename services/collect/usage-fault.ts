import { COUNT_MAX } from '../../schemas/event.ts'

export type UsageFault = { field: string; value: unknown; message: string }

const COUNT_NAME = /token|count/i

/**
 * The first number in a usage block that no provider means: a negative count, one beyond any call,
 * or a number that JSON could not carry exactly. Read as "unknown" it would be lost; refused, its
 * sender learns of it.
 */
export const usageFault = (usage: Readonly<Record<string, unknown>>): UsageFault | null =>
  faultIn(usage, 'usage')

const faultIn = (holder: Readonly<Record<string, unknown>>, path: string): UsageFault | null => {
  for (const name in holder) {
    const value = holder[name]
    const found =
      typeof value === 'number'
        ? numberFault(name, value, path)
        : typeof value === 'object' && value !== null
          ? faultIn(value as Record<string, unknown>, `${path}.${name}`)
          : null
    if (found !== null) return found
  }
  return null
}

const numberFault = (name: string, value: number, path: string): UsageFault | null => {
  const complain = (message: string): UsageFault => ({ field: `${path}.${name}`, value, message })
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return complain('is not exact in JSON')
  if (!COUNT_NAME.test(name) || !Number.isInteger(value)) return null
  if (value < 0) return complain('is negative')
  return value > COUNT_MAX ? complain(`is above ${COUNT_MAX}`) : null
}
