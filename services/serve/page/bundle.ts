import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The page as a browser gets it, out of its sources. Needs esbuild, which only a checkout has. */

const app = new URL('./app/', import.meta.url)

/** The licences of what is bundled ask that it be named. */
const NOTICE =
  '/*! Tallystream (Apache-2.0). With preact, (c) Jason Miller, MIT, and uPlot, (c) Leon Sorokin, MIT. */'

/** Files by name; well under a second. */
export const bundlePage = async (): Promise<Map<string, Uint8Array>> => {
  const { outputFiles } = await build({
    entryPoints: ['main.tsx', 'page.css'].map((name) => ({
      in: fileURLToPath(new URL(name, app)),
      out: 'page'
    })),
    outdir: 'page',
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    banner: { js: NOTICE },
    logLevel: 'silent'
  })
  const files = outputFiles.map(({ path, contents }): [string, Uint8Array] => [
    path.slice(path.lastIndexOf('/') + 1),
    contents
  ])
  return new Map([['index.html', await readFile(new URL('index.html', app))], ...files])
}
