import { spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Said } from './member.ts'

const MEMBER = fileURLToPath(new URL('./member.js', import.meta.url))

export type Member = {
  /** What it says next: first that it is ready, then that the lake has everything. */
  said: () => Promise<Said>
  go: () => void
  /** Rejects when it ends with anything but 0. */
  ended: Promise<void>
  /** Ends it, whatever it does. */
  end: () => void
}

/** Starts a member on one core. */
export const startMember = (core: number, args: readonly string[]): Member => {
  const child = spawn('taskset', ['-c', String(core), process.execPath, MEMBER, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const messages = on(child, 'message')
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`a member of the group ended with ${code}`)
  })
  // Its fault is seen by whoever awaits it next.
  ended.catch(() => {})
  const never = (): Promise<never> => ended.then(() => Promise.reject(new Error('it said nothing')))
  return {
    said: () => Promise.race([messages.next().then(({ value }) => value[0] as Said), never()]),
    go: () => void child.send('go'),
    ended,
    end: () => void child.kill()
  }
}
