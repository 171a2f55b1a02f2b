import type { Problem, ProblemCode } from '../core/problem.ts'
import type { RelativePath } from '../core/relative-path.ts'

export interface ListedProblem extends Problem {
  readonly sinceMs: number
}

/** What is wrong now, one entry a path and code. A problem is set again as long as it lasts and keeps its first time. */
export class ProblemList {
  readonly #byKey = new Map<string, ListedProblem>()

  /** `about` tells apart what has no path: a peer's address. */
  set(problem: Problem, nowMs: number, about = ''): void {
    const key = keyOf(problem.code, problem.path, about)
    this.#byKey.set(key, { ...problem, sinceMs: this.#byKey.get(key)?.sinceMs ?? nowMs })
  }

  clear(code: ProblemCode, path: RelativePath | null, about = ''): boolean {
    return this.#byKey.delete(keyOf(code, path, about))
  }

  clearAll(codes: readonly ProblemCode[], path: RelativePath): void {
    if (this.#byKey.size === 0) return
    for (const code of codes) this.#byKey.delete(keyOf(code, path, ''))
  }

  /** Of a problem that has no path, only those about one of `about` stay. */
  keepOnly(code: ProblemCode, about: readonly string[]): void {
    const kept = new Set(about.map((name) => keyOf(code, null, name)))
    for (const key of this.#byKey.keys()) {
      if (key.startsWith(keyOf(code, null, '')) && !kept.has(key)) this.#byKey.delete(key)
    }
  }

  has(code: ProblemCode, path: RelativePath): boolean {
    return this.#byKey.has(keyOf(code, path, ''))
  }

  /** Paths that have one of the problems. */
  pathsWith(codes: readonly ProblemCode[]): RelativePath[] {
    const paths: RelativePath[] = []
    for (const { code, path } of this.#byKey.values()) {
      if (path !== null && codes.includes(code)) paths.push(path)
    }
    return paths
  }

  all(): ListedProblem[] {
    return [...this.#byKey.values()]
  }
}

function keyOf(code: ProblemCode, path: RelativePath | null, about: string): string {
  return `${code}\0${path ?? ''}\0${about}`
}
