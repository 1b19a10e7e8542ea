import { Failure } from '../../../schemas/failure.ts'

/** One thing that has to be right for the product to work. */
export type Check<Patient> = {
  name: string
  /** Checks that have to pass first: what they looked at is needed here. */
  needs?: readonly string[]
  /** How to mend it where the failure gives no hint. */
  fix: string
  /**
   * @returns what was seen, or null when this does not concern the installation.
   * @throws Failure whose message says what is wrong, and whose hint how to mend it.
   */
  look: (patient: Patient) => Promise<string | null>
}

export type Diagnosis = {
  name: string
  /** Null = not looked at, since something before it is wrong. */
  ok: boolean | null
  seen: string
  fix: string | null
}

/** Looks at one thing after the other; what does not concern the installation is left out. */
export const examine = async <Patient>(
  checks: readonly Check<Patient>[],
  patient: Patient
): Promise<Diagnosis[]> => {
  const found: Diagnosis[] = []
  const passed = new Set<string>()
  for (const check of checks) {
    const missing = (check.needs ?? []).filter((name) => !passed.has(name))
    const diagnosis = missing.length > 0 ? skipped(check, missing) : await lookAt(check, patient)
    if (diagnosis === null) continue
    if (diagnosis.ok === true) passed.add(check.name)
    found.push(diagnosis)
  }
  return found
}

const skipped = <Patient>({ name }: Check<Patient>, missing: string[]): Diagnosis => ({
  name,
  ok: null,
  seen: `not looked at: needs ${missing.join(', ')}`,
  fix: null
})

const lookAt = async <Patient>(
  { name, look, fix: usualFix }: Check<Patient>,
  patient: Patient
): Promise<Diagnosis | null> => {
  try {
    const seen = await look(patient)
    return seen === null ? null : { name, ok: true, seen, fix: null }
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error)
    const fix = error instanceof Failure ? (error.hint ?? usualFix) : usualFix
    return { name, ok: false, seen, fix }
  }
}
