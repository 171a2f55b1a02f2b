import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'

/** The programs that a test runs for real, and what to install for each: a Debian package, or in words. */
export const engines = {
  docker: 'docker.io',
  dockerd: 'docker.io',
  'docker-compose': 'docker-compose',
  debootstrap: 'debootstrap',
  podman: 'podman',
  catatonit: 'catatonit',
  kubectl: 'kubectl (1.21 or later)',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'ssh-keygen': 'openssh-client',
} as const

export type Engine = keyof typeof engines

/**
 * A describe block that needs engines. Where one is absent it is skipped, visibly, on a laptop, and fails where
 * CI is set: there a skip would be a promise nobody kept.
 */
export function describeWith(title: string, needs: readonly Engine[], body: () => void): void {
  const absent = needs.filter((name) => !isInstalled(name))
  if (absent.length === 0) {
    describe(title, body)
    return
  }
  const packages = [...new Set(absent.map((name) => engines[name]))].join(', ')
  if (isContinuousIntegration()) {
    describe(title, () => {
      test(`the engines are installed: ${absent.join(', ')}`, () => {
        throw new Error(`CI lacks ${absent.join(', ')}: install ${packages}`)
      })
    })
    return
  }
  describe.skip(`${title} (needs ${absent.join(', ')}: install ${packages})`, body)
}

/** Whether the program is on the PATH. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export function isContinuousIntegration(): boolean {
  return (process.env['CI'] ?? '') !== ''
}
