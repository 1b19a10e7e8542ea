import { readdir, readFile } from 'node:fs/promises'

/**
 * Files of the page by name. What was built and packed is read from `built/`; a checkout bundles its
 * sources when the page is first asked for, so nothing there can be stale.
 */
export const loadPage = async (): Promise<Map<string, Uint8Array>> => {
  if (import.meta.url.endsWith('.ts')) return (await import('./bundle.ts')).bundlePage()
  const built = new URL('./built/', import.meta.url)
  const names = await readdir(built)
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, Uint8Array]> => [
        name,
        await readFile(new URL(name, built))
      ])
    )
  )
}
