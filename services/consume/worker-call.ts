import type { MessagePort, Worker } from 'node:worker_threads'
import { Failure, type FailureCode } from '../../schemas/failure.ts'

/** Calls of an object's methods across threads, in order, with failures kept whole. */

type Methods = Record<string, (...args: never[]) => unknown>

export type Request<Target> = { id: number; method: keyof Target & string; args: unknown[] }

type Fault = { code: FailureCode; message: string; retriable: boolean; hint: string | undefined }
type Reply = { id: number; value?: unknown; fault?: Fault }

/** Answers one request on the worker's side. */
export const answer = async <Target extends object>(
  port: MessagePort,
  { id, method, args }: Request<Target>,
  target: Target
): Promise<void> => {
  try {
    const value: unknown = await (target as Methods)[method]!(...(args as never[]))
    port.postMessage({ id, value } satisfies Reply)
  } catch (error) {
    port.postMessage({ id, fault: faultOf(error) } satisfies Reply)
  }
}

const faultOf = (error: unknown): Fault => {
  if (error instanceof Failure) {
    const { code, message, retriable, hint } = error
    return { code, message, retriable, hint }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'E_INTERNAL', message, retriable: false, hint: undefined }
}

/** The other side's methods, each returning a promise. */
export type Remote<Target> = {
  [Name in keyof Target]: Target[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
}

type Waiting = { resolve: (value: unknown) => void; reject: (error: unknown) => void }

/** Calls methods in the worker. When it dies, everything that waits is rejected. */
export class WorkerCaller {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #ended: Failure | null = null

  constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', (reply: Reply) => this.#settle(reply))
    worker.on('error', (cause) => this.#end(new Failure('E_INTERNAL', String(cause), { cause })))
    worker.on('exit', (code) =>
      this.#end(new Failure('E_INTERNAL', `the worker ended with ${code}`))
    )
  }

  call(method: string, args: unknown[], transfer: ArrayBuffer[] = []): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended)
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, method, args }, transfer)
    })
  }

  #settle({ id, value, fault }: Reply): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (fault === undefined) waiting?.resolve(value)
    else waiting?.reject(revived(fault))
  }

  #end(failure: Failure): void {
    this.#ended ??= failure
    for (const { reject } of this.#waiting.values()) reject(failure)
    this.#waiting.clear()
  }
}

const revived = ({ code, message, retriable, hint }: Fault): Failure =>
  new Failure(code, message, { retriable, ...(hint === undefined ? {} : { hint }) })
