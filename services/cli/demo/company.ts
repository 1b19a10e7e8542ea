import { readdir } from 'node:fs/promises'
import type { UsageEvent } from '../../../schemas/event.ts'
import { createChance, type Chance } from './chance.ts'
import type { Scene, Stage } from './scene.ts'

const folder = new URL('./scenes/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

const MINUTE_MS = 60_000
const MINUTES = 120
/** How long before the recorded hour the apps begin: signals learn what is usual first. */
export const COMPANY_AHEAD_MS = 60 * MINUTE_MS
const SEED = 20_260_302

type LoadedScene = Scene & { id: string }

/** Every file in `scenes/` is an app; there is no list to keep. */
export const loadScenes = async (): Promise<LoadedScene[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension))
  return Promise.all(
    names.sort().map(async (name) => {
      const module = (await import(new URL(name, folder).href)) as { default: Scene }
      return { ...module.default, id: name.slice(0, -extension.length) }
    })
  )
}

/** What all apps send in the two hours from `startMs`; `isTroubled` = false: and nothing goes wrong. */
export const companyEvents = async (
  startMs: number,
  { isTroubled }: { isTroubled: boolean }
): Promise<UsageEvent[]> =>
  (await loadScenes()).flatMap(({ id, events }, index) => {
    const stage = openStage(createChance(SEED + index), { id, startMs, isTroubled })
    return events(stage).map(({ atMs, ...event }, number) => ({
      ...(event.kind === 'llm' ? { system_prompt_hash: `${id}-prompt`, temperature: 0.2 } : {}),
      ...event,
      id: `${id}-${number}`,
      source: 'demo',
      time: new Date(atMs).toISOString()
    }))
  })

type Place = { id: string; startMs: number; isTroubled: boolean }

const openStage = (chance: Chance, { id, startMs, isTroubled }: Place): Stage => {
  let names = 0
  return {
    chance,
    arrivals: (meanSeconds) => {
      const times: number[] = []
      const next = (ms: number): number => ms - meanSeconds * 1000 * Math.log(1 - chance.uniform())
      for (let ms = next(0); ms < MINUTES * MINUTE_MS; ms = next(ms)) times.push(startMs + ms)
      return times.map(Math.round)
    },
    isWrong: (atMs, fromMinute) => isTroubled && atMs >= startMs + fromMinute * MINUTE_MS,
    unique: (word) => `${id}-${word}-${names++}`
  }
}
