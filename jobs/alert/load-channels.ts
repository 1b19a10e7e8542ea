import { readdir } from 'node:fs/promises'
import { Failure } from '../../schemas/failure.ts'
import type { Channel } from './channel.ts'

export type LoadedChannel = Channel & { kind: string }

const here = new URL('./channels/', import.meta.url)
const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** Every folder under `channels/` is a channel; there is no list to keep. */
export const loadChannels = async (folder: URL = here): Promise<Map<string, LoadedChannel>> => {
  const entries = await readdir(folder, { withFileTypes: true })
  const kinds = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const channels = await Promise.all(kinds.sort().map((kind) => loadChannel(folder, kind)))
  return new Map(channels.map((channel) => [channel.kind, channel]))
}

const loadChannel = async (parent: URL, kind: string): Promise<LoadedChannel> => {
  const folder = new URL(`${kind}/`, parent)
  if (!(await readdir(folder)).includes(`channel${extension}`)) {
    throw new Failure('E_INTERNAL', `The channel folder ${kind} has no channel${extension}`, {
      hint: 'A folder under jobs/alert/channels is a channel; put other code elsewhere.'
    })
  }
  const module = (await import(new URL(`channel${extension}`, folder).href)) as {
    default: Channel
  }
  return { ...module.default, kind }
}
