import { dieAt as killAt, noCrash } from './crash-point.ts'
import { localFiles } from './local-files.ts'
import { commitOf, flush, openScratchLake, rangeOf, nextOf } from './scratch-lake.ts'

/**
 * A process of its own that writes to a lake, for tests that let several run and kill them.
 * Arguments: folder, partition, number of commits, and the step at which to die by SIGKILL.
 * Prints the versions that it decided, as JSON.
 */
const [folder = '', partition = '0', commits = '1', dieAt] = process.argv.slice(2)

const step = dieAt === undefined ? noCrash : killAt(dieAt)

const lake = await openScratchLake(folder, { create: false, files: localFiles(folder, { step }) })
const versions: number[] = []
for (let done = 0; done < Number(commits); done++) {
  versions.push(await flush(lake, Number(partition), 1))
  const counted = await lake.commit((head) => {
    const count = Number(head.state.get('count') ?? 0) + 1
    const next = nextOf(head, 9)
    return commitOf({ ranges: [rangeOf(9, next, next + 1)], state: { count } })
  })
  versions.push(counted ?? -1)
}
process.stdout.write(JSON.stringify(versions))
