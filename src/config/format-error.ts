/** Thrown by a setting's format: what was expected instead, as a phrase that fits after "expected". */
export class FormatError extends Error {
  constructor(expected: string) {
    super(expected)
    this.name = 'FormatError'
  }
}
