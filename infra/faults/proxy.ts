import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'

/** How a network behaves: `drip` hands on one byte at a time, `silent` takes bytes and loses them. */
export type Weather = 'fair' | 'drip' | 'silent'

/** A TCP proxy before a broker, on 127.0.0.1. */
export type Proxy = {
  port: number
  weather: (now: Weather) => void
  /** Resets every connection, in the middle of whatever it carries. */
  cut: () => void
  /** Resets the connections of the next so many requests of one kind (Kafka's `api_key`). */
  cutAtRequest: (apiKey: number, times: number) => void
  /** Bytes handed on so far, and connections taken. */
  seen: () => { bytes: number; connections: number }
  close: () => Promise<void>
}

const HOST = '127.0.0.1'
/** Dripping goes on byte by byte for so many bytes of a piece: enough to split every frame. */
const DRIP_BYTES = 64
/** A request begins with its size (int32) and its kind (int16): kafka.apache.org/protocol. */
const API_KEY_AT = 4

export const startProxy = async (target: () => number): Promise<Proxy> => {
  let weather: Weather = 'fair'
  const seen = { bytes: 0, connections: 0 }
  const doomed = { apiKey: -1, times: 0 }
  const sockets = new Set<Socket>()

  /** Small requests come in one piece, so one look at its head is enough. */
  const isDoomed = (request: Buffer): boolean => {
    const isKind =
      request.length > API_KEY_AT + 2 && request.readInt16BE(API_KEY_AT) === doomed.apiKey
    if (!isKind || doomed.times === 0) return false
    doomed.times -= 1
    return true
  }

  const pump = async (
    from: Socket,
    to: Socket,
    isLost: (piece: Buffer) => boolean
  ): Promise<void> => {
    for await (const piece of from as AsyncIterable<Buffer>) {
      if (weather === 'silent') continue
      if (isLost(piece)) return void from.resetAndDestroy()
      seen.bytes += piece.length
      const slow = weather === 'drip' ? DRIP_BYTES : 0
      for (let at = 0; at < Math.min(slow, piece.length); at++) {
        to.write(piece.subarray(at, at + 1))
        await setImmediate()
      }
      if (piece.length > slow) to.write(piece.subarray(slow))
    }
    to.end()
  }

  const server = createServer((client) => {
    const broker = connect(target(), HOST)
    seen.connections += 1
    for (const socket of [client, broker]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      // A reset is what this proxy is for; both ends go together.
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        broker.destroy()
      })
    }
    pump(client, broker, isDoomed).catch(() => {})
    pump(broker, client, () => false).catch(() => {})
  })
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve))
  const cut = (): void => sockets.forEach((socket) => void socket.resetAndDestroy())
  return {
    port: (server.address() as AddressInfo).port,
    weather: (now) => (weather = now),
    cut,
    cutAtRequest: (apiKey, times) => void Object.assign(doomed, { apiKey, times }),
    seen: () => ({ ...seen }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      })
  }
}
