/** What whoever asks may see, as far as the request proves it. */
export type Access = {
  /** The only tenant whose rows may be seen; null = everybody's. */
  tenant: string | null
  /** Whether what concerns no tenant (quarantine, gaps, offsets) may be seen too. */
  admin: boolean
}
