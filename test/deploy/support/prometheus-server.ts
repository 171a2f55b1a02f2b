import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from './cache.ts'
import { freePort } from './free-port.ts'
import { at, listAt, type Tree } from './yaml-files.ts'
import { until } from './wait.ts'

export interface PrometheusServer {
  /** The result of an instant query. */
  query(expr: string): Promise<readonly Tree[]>
  /** GET /api/v1/…, its data. */
  api(path: string): Promise<Tree>
  stop(): Promise<void>
}

/**
 * Starts Prometheus with the shipped configuration in `directory`: the targets are these, as an operator would write them, and
 * it scrapes every second instead of every fifteen, so that a test need not wait long. Nothing else is changed.
 */
export async function startPrometheus(
  directory: string,
  targets: readonly string[],
): Promise<PrometheusServer> {
  mkdirSync(directory, { recursive: true })
  cpSync(join(repository, 'deploy', 'prometheus'), directory, { recursive: true })
  const config = join(directory, 'prometheus.yml')
  writeFileSync(config, readFileSync(config, 'utf8').replaceAll(': 15s', ': 1s'))
  writeFileSync(join(directory, 'targets', 'synd.yml'), JSON.stringify([{ targets }]))
  const address = `127.0.0.1:${await freePort()}`
  const output: string[] = []
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(directory, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text))
  }
  const api = async (path: string): Promise<Tree> => {
    const response = await fetch(`http://${address}/api/v1/${path}`)
    const answer: unknown = await response.json()
    if (at(answer, 'status') !== 'success') throw new Error(`${path}: ${JSON.stringify(answer)}`)
    return at(answer, 'data')
  }
  await until('Prometheus is ready', async () => (await fetch(`http://${address}/-/ready`)).ok, {
    timeoutMs: 60_000,
    describe: async () => output.join('').slice(-3000),
  })
  return {
    api,
    query: async (expr) => listAt(await api(`query?query=${encodeURIComponent(expr)}`), 'result'),
    stop: async () => {
      if (child.exitCode !== null) return
      const ended = new Promise<void>((resolve) => {
        child.once('exit', () => resolve())
      })
      child.kill('SIGTERM')
      await ended
    },
  }
}
