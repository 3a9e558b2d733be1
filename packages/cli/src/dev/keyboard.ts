/** Keys of `onus dev` on a terminal: c call, b break a node, l logs, q quit. */
import { createReadStream, statSync, unwatchFile, watchFile } from 'node:fs'
import { createInterface, emitKeypressEvents } from 'node:readline'

export interface KeyActions {
  call(line: string): Promise<void>
  break(line: string): Promise<void>
  quit(): void
  /** Files whose new lines are logs. */
  readonly logs: () => readonly string[]
}

export const keyHelp = '  keys: c call · b break a node · l logs · q quit'

/** Prints what is appended to `files` from now on. Gives the function that ends it. */
function follow(files: readonly string[], write: (text: string) => void): () => void {
  for (const file of files) {
    let position = sizeOf(file)
    watchFile(file, { interval: 250 }, ({ size }) => {
      if (size <= position) {
        position = size
        return
      }
      createReadStream(file, { start: position, end: size - 1, encoding: 'utf8' })
        .on('data', (text) => write(String(text)))
        .on('error', () => undefined)
      position = size
    })
  }
  return () => {
    for (const file of files) unwatchFile(file)
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  return new Promise((resolve) => {
    lines.once('close', () => resolve(''))
    lines.question(question, (line) => {
      resolve(line.trim())
      lines.close()
    })
  })
}

/** Listens until the given-back function is called. */
export function listenToKeys(actions: KeyActions): () => void {
  const { stdin } = process
  let stopLogs: (() => void) | null = null
  let isBusy = false
  emitKeypressEvents(stdin)
  const raw = (isRaw: boolean): void => void stdin.setRawMode(isRaw)
  const prompt = async (question: string, act: (line: string) => Promise<void>): Promise<void> => {
    isBusy = true
    raw(false)
    const line = await ask(question)
    if (line !== '') await act(line)
    isBusy = false
    raw(true)
    stdin.resume()
  }
  const pressed = (_text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (isBusy) return
    if (key.name === 'q' || (key.ctrl === true && key.name === 'c')) actions.quit()
    else if (key.name === 'c') void prompt('  call: ', actions.call)
    else if (key.name === 'b') void prompt('  break (such as: 3 --lie, or 2 --kill): ', actions.break)
    else if (key.name === 'l') {
      if (stopLogs === null) process.stdout.write('  logs of the nodes follow; l ends them\n')
      else process.stdout.write('  no more logs\n')
      if (stopLogs === null) stopLogs = follow(actions.logs(), (text) => void process.stdout.write(text))
      else {
        stopLogs()
        stopLogs = null
      }
    } else process.stdout.write(`${keyHelp}\n`)
  }
  raw(true)
  stdin.on('keypress', pressed)
  stdin.resume()
  return () => {
    stopLogs?.()
    stdin.off('keypress', pressed)
    raw(false)
    stdin.pause()
  }
}

/** Words of a line as a shell would split it: blanks outside of quotes. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  for (const match of line.matchAll(/(?:[^\s"']+|"(?:[^"\\]|\\.)*"|'[^']*')+/g))
    words.push(
      match[0].replaceAll(
        /"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
        (_all, double: string | undefined, single: string | undefined) =>
          double === undefined ? (single ?? '') : double.replaceAll(/\\(.)/g, '$1'),
      ),
    )
  return words
}
