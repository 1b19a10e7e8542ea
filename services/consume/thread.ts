import { Worker, type ResourceLimits } from 'node:worker_threads'

/** Sources run through tsx, which has to be registered again in each thread; builds are plain. */
const isSource = import.meta.url.endsWith('.ts')

const bootstrap = (module: string): string =>
  `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))})
    .then(({ register }) => { register(); return import(${JSON.stringify(module)}) })`

/** Starts a module of this product in a thread. `module` is its URL without an extension. */
export const startThread = (
  module: string,
  workerData: unknown,
  resourceLimits: ResourceLimits = {}
): Worker =>
  isSource
    ? new Worker(bootstrap(`${module}.ts`), { eval: true, workerData, resourceLimits })
    : new Worker(new URL(`${module}.js`), { workerData, resourceLimits })
