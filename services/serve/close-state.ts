import { z } from 'zod'
import type { Desk } from './desk.ts'

/** What the lake's state says of a month's close. */
const Closed = z.looseObject({ closed_at: z.iso.datetime() })

/** When a month was closed; null while it is open. */
export const closedAt = (desk: Desk, month: string): string | null =>
  Closed.safeParse(desk.head.state.get(`close/${month}`)).data?.closed_at ?? null
