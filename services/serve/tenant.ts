import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import type { Access } from './access.ts'
import { sqlText } from './literal.ts'

/** Long enough for any identifier; a bound, so that no answer carries a megabyte back. */
const NAME_LENGTH_MAX = 500

export const Name = z.string().min(1).max(NAME_LENGTH_MAX)

export const TenantQuery = { tenant: Name.optional().describe('Only what is this tenant’s.') }

/**
 * The conditions for the tenant that is asked for, if any. Rows of others are out of reach anyway: this
 * tells whoever asks for them that they may not, whether such a tenant exists or not.
 * @throws Failure E_FORBIDDEN
 */
export const asTenant = ({ access }: { access: Access }, tenant: string | undefined): string[] => {
  if (tenant === undefined) return []
  if (access.tenant !== null && access.tenant !== tenant) {
    throw new Failure('E_FORBIDDEN', `this key does not read the tenant that was asked for`)
  }
  return [`tenant = ${sqlText(tenant)}`]
}
