/**
 * Abstract operand stack over one body: which instruction consumes each value, which instructions cannot be reached,
 * how high the stack grows. Values that cross a block border have no single consumer and count as seen by anyone.
 */

import { assert } from '@onus/protocol/errors'
import type { FunctionType } from '../binary/moduleTypes.js'
import { Op, signatureOf, storeWidth } from '../binary/opcodes.js'
import {
  blockSignature,
  branchTableLabels,
  type FunctionView,
  type ModuleContext,
  typeOfFunction,
} from './functionView.js'

export interface ValueFlow {
  /** Instruction that pops the value pushed by instruction i, or -1 if unknown or several. */
  readonly consumer: Int32Array
  /** 1 for instructions that are never executed. */
  readonly dead: Uint8Array
  /** For a store: the instruction that pushed its address, or -1. */
  readonly address: Int32Array
  /** Index of the `end` of each block, loop and if. */
  readonly blockEnd: Int32Array
  /** Highest operand stack of reachable code. */
  readonly maximumHeight: number
}

interface Frame {
  opcode: number
  readonly height: number
  readonly parameters: number
  readonly results: number
  dead: boolean
  branched: boolean
  readonly outerDead: boolean
}

const unknownProducer = -1

class ValueStack {
  readonly frames: Frame[] = []
  private readonly producers: number[] = []
  readonly consumer: Int32Array
  readonly context: ModuleContext
  maximumHeight = 0

  constructor(count: number, context: ModuleContext) {
    this.consumer = new Int32Array(count).fill(-1)
    this.context = context
  }

  get frame(): Frame {
    const frame = this.frames[this.frames.length - 1]
    assert(frame !== undefined, 'a body has a frame')
    return frame
  }

  get height(): number {
    return this.producers.length
  }

  push(producer: number): void {
    this.producers.push(producer)
    if (this.producers.length > this.maximumHeight) this.maximumHeight = this.producers.length
  }

  pushUnknown(count: number): void {
    for (let i = 0; i < count; i++) this.push(unknownProducer)
  }

  /** Pops one value for `consumer`; returns its producer. Below the frame the stack is polymorphic. */
  pop(consumer: number): number {
    if (this.producers.length <= this.frame.height) return unknownProducer
    const producer = this.producers.pop() ?? unknownProducer
    if (producer >= 0) this.consumer[producer] = consumer
    return producer
  }

  /** Pops values that get no single consumer. */
  discard(count: number): void {
    for (let i = 0; i < count && this.producers.length > this.frame.height; i++) this.producers.pop()
  }

  /** The top `count` values may also be seen elsewhere: forget who made them. */
  share(count: number): void {
    const bottom = Math.max(this.frame.height, this.producers.length - count)
    for (let i = bottom; i < this.producers.length; i++) this.producers[i] = unknownProducer
  }

  truncate(height: number): void {
    this.producers.length = height
  }

  enter(opcode: number, signature: { parameters: number; results: number }): void {
    this.discard(signature.parameters)
    const dead = this.frame.dead
    this.frames.push({ opcode, height: this.height, ...signature, dead, branched: false, outerDead: dead })
    this.pushUnknown(signature.parameters)
  }

  branch(label: number): Frame {
    const target = this.frames[this.frames.length - 1 - label]
    assert(target !== undefined, 'a label of valid code exists')
    target.branched = true
    return target
  }

  die(): void {
    this.truncate(this.frame.height)
    this.frame.dead = true
  }
}

export function analyseValues(view: FunctionView, context: ModuleContext): ValueFlow {
  const { code } = view
  const stack = new ValueStack(code.count, context)
  const dead = new Uint8Array(code.count)
  const address = new Int32Array(code.count).fill(-1)
  stack.frames.push({
    opcode: Op.block,
    height: 0,
    parameters: 0,
    results: view.type.results.length,
    dead: false,
    branched: false,
    outerDead: false,
  })
  for (let i = 0; i < code.count - 1; i++) {
    dead[i] = stack.frame.dead ? 1 : 0
    const opcode = code.opcode(i)
    if (opcode <= Op.return) control(stack, view, i, opcode)
    else if (opcode === Op.call || opcode === Op.callIndirect) call(stack, view, i, opcode)
    else operand(stack, i, opcode, address)
  }
  return { consumer: stack.consumer, dead, address, blockEnd: blockEnds(view), maximumHeight: stack.maximumHeight }
}

function control(stack: ValueStack, view: FunctionView, i: number, opcode: number): void {
  const first = view.code.first(i)
  switch (opcode) {
    case Op.nop:
      return
    case Op.unreachable:
      stack.die()
      return
    case Op.block:
    case Op.loop:
    case Op.if:
      if (opcode === Op.if) stack.pop(i)
      stack.enter(opcode, blockSignature(stack.context.types, first))
      return
    case Op.else:
      stack.truncate(stack.frame.height)
      stack.pushUnknown(stack.frame.parameters)
      stack.frame.dead = stack.frame.outerDead
      stack.frame.opcode = Op.else
      return
    case Op.end:
      leave(stack)
      return
    case Op.br:
      stack.branch(first)
      stack.die()
      return
    case Op.brIf: {
      stack.pop(i)
      const target = stack.branch(first)
      stack.share(target.opcode === Op.loop ? target.parameters : target.results)
      return
    }
    case Op.brTable:
      stack.pop(i)
      for (const label of branchTableLabels(view, i)) stack.branch(label)
      stack.die()
      return
    default:
      stack.branch(stack.frames.length - 1)
      stack.die()
  }
}

/** The code behind `end` is reached by falling through, by a branch to a block, or past an `if` without else. */
function leave(stack: ValueStack): void {
  const frame = stack.frame
  stack.frames.pop()
  stack.truncate(frame.height)
  stack.pushUnknown(frame.results)
  const reached =
    !frame.dead || (frame.branched && frame.opcode !== Op.loop) || frame.opcode === Op.if || frame.opcode === Op.else
  stack.frame.dead = frame.outerDead || !reached
}

function call(stack: ValueStack, view: FunctionView, i: number, opcode: number): void {
  if (opcode === Op.callIndirect) stack.pop(i)
  const first = view.code.first(i)
  const type: FunctionType | undefined =
    opcode === Op.call ? typeOfFunction(stack.context, first) : stack.context.types[first]
  assert(type !== undefined, 'a call has a type')
  for (let k = 0; k < type.parameters.length; k++) stack.pop(i)
  if (type.results.length === 1) stack.push(i)
  else stack.pushUnknown(type.results.length)
}

function operand(stack: ValueStack, i: number, opcode: number, address: Int32Array): void {
  switch (opcode) {
    case Op.drop:
    case Op.localSet:
    case Op.globalSet:
      stack.pop(i)
      return
    case Op.select:
    case Op.selectTyped:
      for (let k = 0; k < 3; k++) stack.pop(i)
      stack.push(i)
      return
    case Op.localGet:
    case Op.globalGet:
      stack.push(i)
      return
    case Op.localTee:
      stack.pop(i)
      stack.push(i)
      return
    default: {
      const signature = signatureOf(opcode)
      const colon = signature.indexOf(':')
      assert(colon >= 0, `instruction 0x${opcode.toString(16)} is in the profile`)
      let last = unknownProducer
      for (let k = 0; k < colon; k++) last = stack.pop(i)
      for (let k = colon + 1; k < signature.length; k++) stack.push(i)
      if (storeWidth(opcode) > 0) address[i] = last
    }
  }
}

function blockEnds(view: FunctionView): Int32Array {
  const { code } = view
  const ends = new Int32Array(code.count)
  const open: number[] = []
  for (let i = 0; i < code.count; i++) {
    const opcode = code.opcode(i)
    if (opcode === Op.block || opcode === Op.loop || opcode === Op.if) open.push(i)
    else if (opcode === Op.end) {
      const start = open.pop()
      if (start !== undefined) ends[start] = i
    }
  }
  return ends
}
