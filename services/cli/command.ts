import type { Command } from 'commander'
import type { Readable, Writable } from 'node:stream'

/** The outside of a command: streams and clock come in, an exit code goes out. */
export type CommandIo = {
  stdin: Readable
  stdout: Writable
  stderr: Writable
  now: () => Date
  env: Readonly<Record<string, string | undefined>>
}

export const EXIT = { ok: 0, failure: 1, usage: 2, findings: 3 } as const

export type CommandRun = {
  args: string[]
  options: Record<string, unknown>
  io: CommandIo
}

/**
 * One verb of `tally`. The file's name in `commands/` is the verb and is written nowhere else.
 * Data goes to stdout, messages to stderr; `run` returns the exit code and throws a Failure.
 */
export type CliCommand = {
  summary: string
  /** Declares arguments and options; `--json` is declared by the shell for every command. */
  configure: (command: Command) => void
  run: (call: CommandRun) => Promise<number>
}

export const defineCommand = (command: CliCommand): CliCommand => command
