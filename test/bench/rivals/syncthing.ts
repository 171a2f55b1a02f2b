import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Rival } from './rival.ts'

/** Two syncthings on this machine that know nobody else; their watchers wait 1 s, the least that Debian's version takes. */
export const syncthing: Rival = {
  name: 'syncthing',
  files: 20,
  start: async (ground) => {
    const { from, to, room } = ground
    const homes = ['syncthing-from', 'syncthing-to'].map((name) => join(room, name))
    const devices: Device[] = []
    for (const home of homes) devices.push({ id: idOf(home), port: await freePort() })
    for (const [index, home] of homes.entries()) {
      const folder = index === 0 ? from : to
      mkdirSync(join(folder, '.stfolder'))
      writeFileSync(join(home, 'config.xml'), configOf(folder, devices, devices[index]))
      ground.run(syncthing.name, [
        '--home',
        home,
        '--no-browser',
        '--no-restart',
        '--no-upgrade',
        `--gui-address=127.0.0.1:${await freePort()}`,
      ])
    }
    return { from, to }
  },
}

interface Device {
  readonly id: string
  readonly port: number
}

/** Makes the keys in a new home. */
function idOf(home: string): string {
  const { name } = syncthing
  const generated = spawnSync(name, ['generate', '--home', home, '--no-default-folder'])
  const { stdout } = spawnSync(name, ['--home', home, '--device-id'], { encoding: 'utf8' })
  if (generated.status !== 0) throw new Error(`syncthing: ${generated.stderr.toString()}`)
  return stdout.trim()
}

function configOf(folder: string, devices: readonly Device[], own: Device | undefined): string {
  const members = devices.map(({ id }) => `<device id="${id}"></device>`).join('')
  const addresses = devices.map(
    ({ id, port }) => `<device id="${id}"><address>tcp://127.0.0.1:${port}</address></device>`,
  )
  const off = ['globalAnnounceEnabled', 'localAnnounceEnabled', 'relaysEnabled', 'natEnabled']
  return [
    '<configuration version="35">',
    `<folder id="bench" path="${folder}" type="sendreceive" rescanIntervalS="3600" fsWatcherEnabled="true" fsWatcherDelayS="1">${members}</folder>`,
    ...addresses,
    '<options>',
    `<listenAddress>tcp://127.0.0.1:${own?.port ?? 0}</listenAddress>`,
    ...[...off, 'crashReportingEnabled'].map((option) => `<${option}>false</${option}>`),
    '<urAccepted>-1</urAccepted>',
    '</options>',
    '</configuration>',
    '',
  ].join('\n')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
