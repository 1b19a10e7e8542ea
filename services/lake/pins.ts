import { NOTHING, type Commit, type Head } from './commit.ts'
import type { Lake } from './lake.ts'

/**
 * A pin keeps one version of the lake readable for as long as it stands: a closed month, or a job
 * that runs. Pins ride in the state of the commits, under this prefix.
 */
const PREFIX = 'pin/'

/** State of a commit that pins a version under a name; null takes the pin away. */
export const pinState = (name: string, version: number | null): Commit['state'] => ({
  [`${PREFIX}${name}`]: version === null ? null : { version }
})

/** Versions that are pinned, rising. */
export const pinnedVersions = (head: Head): number[] => {
  const pins = [...head.state].filter(([key]) => key.startsWith(PREFIX))
  const versions = pins.map(([, value]) => (value as { version: number }).version)
  return [...new Set(versions)].sort((a, b) => a - b)
}

/**
 * Pins a version under a name, or takes the pin away with null.
 * @throws Failure E_LAKE_MISSING when the version has been cleaned already.
 */
export const pin = async (lake: Lake, name: string, version: number | null): Promise<void> => {
  if (version !== null) await lake.headAt(version)
  await lake.commit(() => ({
    ...NOTHING,
    kind: 'pin',
    state: pinState(name, version)
  }))
  if (version !== null) await lake.keepHead(version)
}
