/** How a call on untrusted input ended: tests compare codes, and anything that is no `OnusError` is a failure. */
import assert from 'node:assert/strict'
import { OnusError } from '../../src/errors.js'

/** The code of the `OnusError` that `action` throws, or null if it throws nothing. Other errors pass through. */
export function rejectionOf(action: () => unknown): string | null {
  try {
    action()
    return null
  } catch (error) {
    if (error instanceof OnusError) return error.code
    throw error
  }
}

export function assertRejects(code: string, action: () => unknown, message?: string): void {
  assert.equal(rejectionOf(action), code, message)
}
