import { Failure } from '../../schemas/failure.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EMLINK'])

export const errorCode = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/** What a fault of the file system means to the caller. Failures pass unchanged. */
export const diskFailure = (error: unknown, action: string, path: string): Failure => {
  if (error instanceof Failure) return error
  const code = errorCode(error)
  const message = `Could not ${action} ${path}: ${code ?? String(error)}`
  if (code !== null && FULL.has(code)) {
    const hint = 'Free space on the device; the work is repeated and nothing is lost.'
    return new Failure('E_DISK_FULL', message, { hint, retriable: true, cause: error })
  }
  if (code !== null && NO_LINKS.has(code) && action === 'link') {
    const hint = 'The lake needs a file system with hard links: they decide between writers.'
    return new Failure('E_INTERNAL', message, { hint, cause: error })
  }
  return new Failure('E_INTERNAL', message, { cause: error })
}
