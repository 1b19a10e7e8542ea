import { readdir } from 'node:fs/promises'
import type { FailureCode } from '../../schemas/failure.ts'

/** A decoder of bytes from outside, as the fuzzer sees it. */
export type Target = {
  /** Within its file; '' where the file holds one target. */
  name: string
  /** Good inputs to start from: cases that the product's tests have anyway. */
  seeds: () => Promise<Uint8Array[]> | Uint8Array[]
  /** How it may refuse. Everything else that it throws is a finding. */
  refuses: readonly FailureCode[]
  /** Reads one input, and throws where a promise about what it read does not hold. */
  run: (bytes: Buffer) => void | Promise<void>
}

/** What a file in `targets/` exports by default: one decoder, or a family found on disk. */
export type Targets = () => Promise<Target[]> | Target[]

const folder = new URL('./targets/', import.meta.url)

/**
 * Every target by its name, `bills/focus`: there is no list to keep. With a name, only the file of
 * that target is loaded.
 */
export const loadTargets = async (name?: string): Promise<Map<string, Target>> => {
  const files = (await readdir(folder)).map((file) => file.replace(/\.ts$/, '')).sort()
  const targets = new Map<string, Target>()
  for (const file of files) {
    if (name !== undefined && name.split('/')[0] !== file) continue
    const module = (await import(new URL(`${file}.ts`, folder).href)) as { default: Targets }
    for (const target of await module.default()) {
      targets.set(target.name === '' ? file : `${file}/${target.name}`, target)
    }
  }
  return targets
}
