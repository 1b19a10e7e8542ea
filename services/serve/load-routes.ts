import { readdir } from 'node:fs/promises'
import type { LoadedRoute, Route } from './route.ts'

const folder = new URL('./routes/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** Every file in `routes/` is a route; there is no list to keep. */
export const loadRoutes = async (): Promise<LoadedRoute[]> => {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(extension) && !name.includes('.test.')
  )
  return Promise.all(
    names.sort().map(async (name) => {
      const module = (await import(new URL(name, folder).href)) as { default: Route }
      return { ...module.default, id: name.slice(0, -extension.length) }
    })
  )
}
