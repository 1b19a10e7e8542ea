import { runSuite } from './suite.ts'

process.exitCode = await runSuite({
  only: process.argv.slice(2),
  isCi: process.env['CI'] === 'true',
  env: process.env,
  root: new URL('../../', import.meta.url),
  print: (text) => void process.stdout.write(text)
})
