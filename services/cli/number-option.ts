import { Failure } from '../../schemas/failure.ts'

/** An option's whole number from 0 to `max`. @throws Failure E_USAGE */
export const wholeNumber = (name: string, text: string, max: number): number => {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= max) return value
  throw new Failure('E_USAGE', `${name} ${text} is no whole number from 0 to ${max}`)
}
