/**
 * Tells of saves below a folder, once for a burst of them: editors write a file in several steps, or put another in its
 * place. Folders are watched, not files: Node 20's own recursive watching loses a file that is replaced.
 */
import { type FSWatcher, readdirSync, watch } from 'node:fs'
import { join, relative } from 'node:path'

const quiet = 40

function foldersBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  const inner = entries.filter(
    (entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'),
  )
  return [folder, ...inner.flatMap(({ name }) => foldersBelow(join(folder, name)))]
}

function isSource(name: string): boolean {
  return /\.(ts|json)$/.test(name) && !name.endsWith('.d.ts') && !name.startsWith('.')
}

/** Gives the function that ends it. `onChange` gets the path that changed first, relative to `folder`. */
export function watchSources(
  folder: string,
  onChange: (path: string) => void,
  onError: (error: unknown) => void,
): () => void {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | null = null
  let first = ''
  const changed = (path: string): void => {
    if (timer === null) first = path
    else clearTimeout(timer)
    timer = setTimeout(() => {
      timer = null
      onChange(first)
    }, quiet)
  }
  const refresh = (): void => {
    try {
      const folders = new Set(foldersBelow(folder))
      for (const [path, watcher] of watchers) {
        if (folders.has(path)) continue
        watcher.close()
        watchers.delete(path)
      }
      for (const path of folders) if (!watchers.has(path)) watchers.set(path, watchOne(path))
    } catch (error) {
      onError(error)
    }
  }
  const watchOne = (path: string): FSWatcher => {
    const watcher = watch(path, (kind, name) => {
      // A folder may have come or gone.
      if (kind === 'rename' && (name === null || !isSource(name))) refresh()
      if (name !== null && isSource(name)) changed(relative(folder, join(path, name)))
    })
    watcher.on('error', () => refresh())
    return watcher
  }
  refresh()
  return () => {
    if (timer !== null) clearTimeout(timer)
    for (const watcher of watchers.values()) watcher.close()
  }
}
