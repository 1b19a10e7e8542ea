import type { FastifyInstance } from 'fastify'

/**
 * Ends a server without losing an answer: it stops listening, answers what is under way, and then
 * closes every connection. (The framework alone would wait for connections that senders keep
 * open, up to the keep-alive timeout.)
 */
export class Drain {
  #underWay = 0
  #isClosing = false
  #onIdle: (() => void) | null = null

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Counts the requests of a server, until each answer has left or its sender hung up. */
  watch(app: FastifyInstance): void {
    app.addHook('onRequest', async (_request, reply) => {
      this.#underWay++
      reply.raw.once('close', () => {
        this.#underWay--
        if (this.#underWay === 0) this.#onIdle?.()
      })
    })
  }

  async close(app: FastifyInstance): Promise<void> {
    this.#isClosing = true
    const closed = app.close()
    await this.#idle()
    app.server.closeAllConnections()
    await closed
  }

  async #idle(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }
}
