import { Failure } from '../../../schemas/failure.ts'

export type AdmissionLimits = {
  bytesMax: number
  eventsMax: number
}

/**
 * Bounds what is in flight: bytes of bodies being read and parsed, and events handed to the log
 * and not yet durable. Beyond it the sender is told to come back; nothing queues without end.
 */
export class Admission {
  readonly #limits: AdmissionLimits
  bytes = 0
  events = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** One request's share; `release` gives all of it back. */
  enter(): Share {
    return new Share(this, this.#limits)
  }
}

export class Share {
  readonly #admission: Admission
  readonly #limits: AdmissionLimits
  #bytes = 0
  #events = 0

  constructor(admission: Admission, limits: AdmissionLimits) {
    this.#admission = admission
    this.#limits = limits
  }

  /** @throws Failure E_BACKPRESSURE when the bytes in flight would exceed the bound. */
  takeBytes(count: number): void {
    if (this.#admission.bytes + count > this.#limits.bytesMax) {
      throw busy(`${this.#admission.bytes} bytes are in flight`)
    }
    this.#bytes += count
    this.#admission.bytes += count
  }

  /** @throws Failure E_BACKPRESSURE when the events in flight would exceed the bound. */
  takeEvents(count: number): void {
    // A single request larger than the bound passes when nothing else is in flight: it would
    // never pass otherwise.
    const isAlone = this.#admission.events === 0
    if (!isAlone && this.#admission.events + count > this.#limits.eventsMax) {
      throw busy(`${this.#admission.events} events are in flight`)
    }
    this.#events += count
    this.#admission.events += count
  }

  release(): void {
    this.#admission.bytes -= this.#bytes
    this.#admission.events -= this.#events
    this.#bytes = 0
    this.#events = 0
  }
}

const busy = (what: string): Failure =>
  new Failure('E_BACKPRESSURE', `the collector is busy: ${what}`, {
    retriable: true,
    hint: 'Repeat the request after the time in Retry-After.'
  })
