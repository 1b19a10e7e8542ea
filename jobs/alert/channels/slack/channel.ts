import { z } from 'zod'
import { Failure } from '../../../../schemas/failure.ts'
import { defineChannel } from '../../channel.ts'
import { post } from '../../delivery/post.ts'
import { messageOf } from './message.ts'

/** Slack refuses messages of about 13,200 characters, whatever their parts (bolt-js #2509). */
const MESSAGE_BYTES_MAX = 13_200

const Config = z.strictObject({
  /** The address is the secret, so it comes from a file. */
  url_file: z.string().min(1)
})

export default defineChannel({
  title: 'Slack, by incoming webhook',
  config: Config,
  bytesMax: MESSAGE_BYTES_MAX,
  open: (config, doors) => ({
    mode: 'events',
    send: async (notification, signal) => {
      const url = readUrl(await doors.readSecret(config.url_file), config.url_file)
      return post(doors, {
        url,
        body: JSON.stringify(messageOf(notification)),
        headers: {},
        signal
      })
    }
  })
})

/** The message never holds the address. */
const readUrl = (text: string, file: string): string => {
  const url = text.trim()
  if (URL.canParse(url)) return url
  throw new Failure('E_USAGE', `${file} holds no address`, {
    hint: 'Write the address of the incoming webhook into it.'
  })
}
