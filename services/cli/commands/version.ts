import { productVersion } from '../../serve/product-version.ts'
import { defineCommand, EXIT } from '../command.ts'

export default defineCommand({
  summary: 'Print the version.',
  configure: () => {},
  run: async ({ options, io }) => {
    const version = await productVersion()
    const node = process.versions.node
    io.stdout.write(
      options['json'] === true ? `${JSON.stringify({ version, node })}\n` : `${version}\n`
    )
    return EXIT.ok
  }
})
