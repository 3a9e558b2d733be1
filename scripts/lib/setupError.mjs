/** A step of set-up that failed: `message` says what and what to do, `output` is the whole output of the tool. */
export class SetupError extends Error {
  name = 'SetupError'

  constructor(message, output = '') {
    super(message)
    this.output = output
  }
}
