/** The repository that these scripts belong to, whatever the working directory is. */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
