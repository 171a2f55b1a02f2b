import type { SidecarProcess } from '../e2e/sidecar-process.ts'

/** The value of a metric, named with its labels as it is printed; null while it is not there. */
export async function metric(process: SidecarProcess, name: string): Promise<number | null> {
  const { text } = await process.get('/metrics')
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? null : Number(line.slice(line.lastIndexOf(' ') + 1))
}
