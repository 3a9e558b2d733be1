/** Copies a body instruction by instruction, raw bytes in runs, with replacements and insertions in between. */
import { CodeWriter } from '../binary/codeWriter.js'
import type { LocalRun } from '../binary/moduleTypes.js'
import type { FunctionView } from './functionView.js'

export class BodyRewriter {
  readonly writer: CodeWriter = new CodeWriter(4096)
  private readonly view: FunctionView
  private pending: number
  private readonly added: LocalRun[] = []
  private readonly named = new Map<string, number>()
  private nextLocal: number

  /** `firstLocal`: index that the first added local will have. */
  constructor(view: FunctionView, firstLocal: number) {
    this.view = view
    this.pending = view.code.position(0)
    this.nextLocal = firstLocal
  }

  /** Writes everything before instruction `index`; what is emitted next stands before it. */
  before(index: number): CodeWriter {
    this.copyUpTo(this.view.code.position(index))
    return this.writer
  }

  /** Writes everything before instruction `index` and leaves it out; what is emitted next takes its place. */
  replace(index: number): CodeWriter {
    this.copyUpTo(this.view.code.position(index))
    this.pending = this.view.code.position(index + 1)
    return this.writer
  }

  /** Writes everything up to and including instruction `index`, unless it was replaced. */
  after(index: number): CodeWriter {
    this.copyUpTo(this.view.code.position(index + 1))
    return this.writer
  }

  private copyUpTo(position: number): void {
    if (position <= this.pending) return
    this.writer.append(this.view.body.code.subarray(this.pending, position))
    this.pending = position
  }

  newLocal(valueType: number): number {
    this.added.push({ count: 1, valueType })
    return this.nextLocal++
  }

  /** The scratch local of that name, made at its first use. */
  scratch(name: string, valueType: number): number {
    let local = this.named.get(name)
    if (local === undefined) {
      local = this.newLocal(valueType)
      this.named.set(name, local)
    }
    return local
  }

  get locals(): LocalRun[] {
    return [...this.view.body.locals, ...this.added]
  }
}
