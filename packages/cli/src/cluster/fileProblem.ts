/** Why a file that a user named cannot be read, in words instead of the system's codes. */

const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
}

export function fileProblem(error: unknown): string {
  const known = words[String((error as { code?: unknown } | null)?.code)]
  return known ?? (error instanceof Error ? error.message : String(error))
}

export function isMissing(error: unknown): boolean {
  return fileProblem(error) === words['ENOENT']
}
