import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Month } from './month.ts'
import type { Rules } from './rules.ts'

export const addAllocations = async (
  _engine: Engine,
  _head: Head,
  _options: { month: Month; rules: Rules }
): Promise<void> => undefined
