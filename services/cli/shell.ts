import { readdir } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { Failure } from '../../schemas/failure.ts'
import { EXIT, type CliCommand, type CommandIo } from './command.ts'
import { readSummary } from './verb-summaries.ts'

const folder = new URL('./commands/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

const EXAMPLES = `
Examples:
  tally demo                                          what it does, in twenty seconds
  tally up --data ./tally                             take events on port 8787 and do it all
  tally ingest calls.ndjson.gz --data ./tally         take a file, return when it is landed
  tally sql "FROM windows LIMIT 10" --data ./tally    ask anything
  tally findings --open --data ./tally                what is wrong now
  tally doctor --data ./tally                         why something does not work
  tally --version                                     which version this is

Data goes to stdout, messages to stderr; --json makes data JSON. Exit codes: 0 done, 1 failed,
2 wrong usage, 3 findings are there and --fail-on-findings was given.
tally VERB --help shows the options of a verb.`

/**
 * Runs one `tally` command line and returns its exit code. Only the named verb's module is loaded,
 * so that start-up stays fast.
 */
export const runCli = async (argv: string[], io: CommandIo): Promise<number> => {
  const verbs = await findVerbs()
  // `tally help VERB` is `tally VERB --help`.
  const asked = argv[0] === 'help' && argv.length > 1 ? [argv[1]!, '--help'] : argv
  const line = /^(-V|--version)$/.test(asked[0] ?? '') ? ['version', ...asked.slice(1)] : asked
  const verb = verbs.find((name) => name === line[0])
  const program = createProgram(io)
  let code: number = EXIT.ok
  for (const name of verb === undefined ? verbs : []) {
    program.command(name).description((await readSummary(moduleOf(name))) ?? '')
  }
  if (verb !== undefined) {
    await addVerb(program, verb, async (command, call) => {
      code = await command.run({ ...call, io })
    })
  }
  try {
    await program.parseAsync(line, { from: 'user' })
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

const moduleOf = (verb: string): URL => new URL(`${verb}${extension}`, folder)

const createProgram = (io: CommandIo): Command =>
  new Command('tally')
    .description('Meters LLM usage and explains the bill.')
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
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
  const module = (await import(moduleOf(name).href)) as {
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
