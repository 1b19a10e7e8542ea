import { readFile } from 'node:fs/promises'

/** Runbooks lie beside what they explain and ship with the product. */

const root = new URL('../../', import.meta.url)
const NAME = /^[a-z\d][a-z\d-]{0,99}$/

/** A runbook's Markdown by the name that alerts link to; null when there is none. */
export const readRunbook = async (name: string): Promise<string | null> => {
  if (!NAME.test(name)) return null
  for (const path of [`services/signals/${name}/runbook.md`, `jobs/alert/runbooks/${name}.md`]) {
    const text = await readFile(new URL(path, root), 'utf8').catch(() => null)
    if (text !== null) return text
  }
  return null
}

/** `services/signals/cache-thrash/runbook.md` → `cache-thrash`; `…/runbooks/no-data.md` → `no-data`. */
export const runbookName = (path: string): string => {
  const parts = path.replace(/\.md$/, '').split('/')
  return (parts.at(-1) === 'runbook' ? parts.at(-2) : parts.at(-1)) ?? ''
}
