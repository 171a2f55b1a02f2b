import type { Terminal } from './terminal.ts'

/** What a command gets: the words after its name. */
export interface Call {
  readonly words: readonly string[]
  readonly terminal: Terminal
}

/** A command of `synd`. */
export interface Command {
  readonly usage: string
  readonly summary: string
  /** Gives the exit code; throws SyndError. */
  run(call: Call): Promise<number>
}

/**
 * The commands by name, except `run`. Each is loaded when it is called: the health check of a container starts twice a minute and
 * needs nothing of the others.
 */
export const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries<Command>({
    keygen: {
      usage: 'keygen [--out DIR]',
      summary: 'make a key pair where there is none and print the line for the peers',
      run: async (call) => (await import('./commands/keygen.ts')).keygen(call),
    },
    'config check': {
      usage: 'config check',
      summary: 'validate the configuration and print it, secrets masked',
      run: async (call) => (await import('./commands/config-check.ts')).checkConfig(call),
    },
    status: {
      usage: 'status [--json]',
      summary: 'what the running sidecar says of itself, its peers and its problems',
      run: async (call) => (await import('./commands/status.ts')).showStatus(call),
    },
    healthcheck: {
      usage: 'healthcheck',
      summary: 'exit 0 when the running sidecar is alive',
      run: async (call) => (await import('./commands/healthcheck.ts')).checkHealth(call),
    },
    approve: {
      usage: 'approve',
      summary: 'let the deletes go that are held back',
      run: async (call) =>
        (await import('./commands/held-deletes.ts')).decideHeldDeletes('approve', call),
    },
    reject: {
      usage: 'reject',
      summary: 'take the entries back from the peers instead',
      run: async (call) =>
        (await import('./commands/held-deletes.ts')).decideHeldDeletes('reject', call),
    },
    demo: {
      usage: 'demo',
      summary: 'two real peers on this machine to try it with',
      run: async (call) => (await import('./demo/demo.ts')).demo(call),
    },
  }),
)
