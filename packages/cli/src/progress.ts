/** Progress on standard error: one line that is rewritten on a terminal, whole lines now and then elsewhere. */

export interface Progress {
  /** What is waited for now. */
  update(text: string): void
  /** Ends the line with its final text. */
  done(text: string): void
  /** Takes the line away. */
  clear(): void
}

const linePause = 5000

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let printedAt = 0
  const clear = stream.isTTY ? '\r\u001b[K' : ''
  return {
    update(text) {
      const now = Date.now()
      if (!stream.isTTY && now - printedAt < linePause) return
      printedAt = now
      stream.write(stream.isTTY ? `${clear}  … ${text}` : `  … ${text}\n`)
    },
    done(text) {
      printedAt = 0
      stream.write(`${clear}✔ ${text}\n`)
    },
    clear() {
      printedAt = 0
      stream.write(clear)
    },
  }
}
