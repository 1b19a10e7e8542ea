import { Failure } from '../../../schemas/failure.ts'
import { Scope, SCOPES } from '../../collect/keys/key.ts'
import { addKey } from '../../collect/keys/key-file.ts'
import { defineCommand, EXIT } from '../command.ts'

const scopesOf = (text: string): Scope[] =>
  text.split(',').map((name) => {
    const scope = Scope.safeParse(name.trim())
    if (scope.success) return scope.data
    throw new Failure('E_USAGE', `--scopes ${name} is not a scope`, {
      hint: `Scopes: ${SCOPES.join(', ')}, read:tenant/NAME.`
    })
  })

export default defineCommand({
  summary: 'Create an API key: adds its hash to a key file and prints the key, once.',
  configure: (command) => {
    command
      .requiredOption('--keys <file>', 'key file, made where there is none')
      .option('--scopes <list>', 'what the key may do, comma-separated', 'ingest')
      .option('--tenant <name>', 'the only tenant that the key may act for')
      .option('--name <text>', 'what the key is for')
  },
  run: async ({ options, io }) => {
    const { keys, scopes, tenant, name } = options as Record<string, string | undefined>
    const token = await addKey(keys ?? '', {
      scopes: scopesOf(scopes ?? 'ingest'),
      tenant: tenant ?? null,
      name: name ?? null,
      now: io.now()
    })
    const isJson = options['json'] === true
    io.stdout.write(isJson ? `${JSON.stringify({ key: token })}\n` : `${token}\n`)
    return EXIT.ok
  }
})
