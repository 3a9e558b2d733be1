/** How an action on untrusted input ended: anything that is no `OnusError` is a failure of the test. */
import assert from 'node:assert/strict'
import { OnusError } from '@onus/protocol/errors'

/** The `OnusError` that `action` throws, or null if it throws nothing. */
export function rejectionOf(action: () => unknown): OnusError | null {
  try {
    action()
    return null
  } catch (error) {
    if (error instanceof OnusError) return error
    throw error
  }
}

export function assertRejects(code: string, action: () => unknown, message?: RegExp): void {
  const error = rejectionOf(action)
  assert.equal(error?.code, code, error?.message)
  if (message !== undefined) assert.match(error?.message ?? '', message)
}
