import { readdir } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { Failure } from '../../schemas/failure.ts'
import { EXIT, type CliCommand, type CommandIo } from './command.ts'

const folder = new URL('./commands/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/**
 * Runs one `tally` command line and returns its exit code. Only the named verb's file is loaded,
 * so that start-up stays fast; help loads all of them.
 */
export const runCli = async (argv: string[], io: CommandIo): Promise<number> => {
  const verbs = await findVerbs()
  const verb = verbs.find((name) => name === argv[0])
  const program = createProgram(io)
  let code: number = EXIT.ok
  for (const name of verb === undefined ? verbs : [verb]) {
    await addVerb(program, name, async (command, call) => {
      code = await command.run({ ...call, io })
    })
  }
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    return report(error, io)
  }
}

const findVerbs = async (): Promise<string[]> =>
  (await readdir(folder))
    .filter((name) => name.endsWith(extension) && !name.includes('.test.'))
    .map((name) => name.slice(0, -extension.length))
    .sort()

const createProgram = (io: CommandIo): Command =>
  new Command('tally')
    .description('Meters LLM usage and explains the bill.')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text)
    })

type Call = { args: string[]; options: Record<string, unknown> }

const addVerb = async (
  program: Command,
  name: string,
  run: (command: CliCommand, call: Call) => Promise<void>
): Promise<void> => {
  const module = (await import(new URL(`${name}${extension}`, folder).href)) as {
    default: CliCommand
  }
  const command = program.command(name).description(module.default.summary)
  command.option('--json', 'print JSON on stdout')
  module.default.configure(command)
  command.action(async () => {
    await run(module.default, { args: command.args, options: command.opts() })
  })
}

const report = (error: unknown, io: CommandIo): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof Failure) {
    io.stderr.write(`${error.code}: ${error.message}\n`)
    if (error.hint !== undefined) io.stderr.write(`  ${error.hint}\n`)
    return error.code === 'E_USAGE' ? EXIT.usage : EXIT.failure
  }
  io.stderr.write(
    `E_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`
  )
  return EXIT.failure
}
