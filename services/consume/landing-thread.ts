import type { Added, Landing, LandingSettings } from './landing-site.ts'
import type { Run } from './run.ts'
import { startThread } from './thread.ts'
import { WorkerCaller, type Remote } from './worker-call.ts'

export type LandingThread = Remote<Landing> & {
  /** Rejects when the worker ends before it was closed. */
  terminate: () => Promise<void>
}

/** Starts the landing in a thread of its own. */
export const startLanding = (settings: LandingSettings): LandingThread => {
  const worker = startThread(new URL('landing-worker', import.meta.url).href, settings)
  const caller = new WorkerCaller(worker)
  const method = <Name extends keyof Landing>(name: Name): Remote<Landing>[Name] =>
    ((...args: unknown[]) => caller.call(name, args)) as Remote<Landing>[Name]
  return {
    positions: method('positions'),
    adopt: method('adopt'),
    // The records' memory is shared or moved, not copied: the reader has no more use for it.
    add: (run, source) => caller.call('add', [run, source], movable(run)) as Promise<Added>,
    drop: method('drop'),
    flush: method('flush'),
    close: method('close'),
    terminate: async () => void (await worker.terminate())
  }
}

/** Memory that belongs to one run alone may move; a slice of something shared is copied. */
const movable = ({ bytes, offsets, timesMs, valueStart, valueEnd }: Run): ArrayBuffer[] =>
  [bytes, offsets, timesMs, valueStart, valueEnd].flatMap(({ buffer, byteLength }) =>
    buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
  )
