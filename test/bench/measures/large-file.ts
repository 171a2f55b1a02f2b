import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { algorithms } from '../../../src/transfer/algorithms.ts'
import { makeKey } from '../../transfer/keys.ts'
import { startSshd } from '../../transfer/sshd.ts'
import { Appearances } from '../appearances.ts'
import { makeLargeFile, run, seconds, syncDisks } from '../files.ts'
import type { Measure } from '../measure.ts'
import { runsOf, sizeOf } from '../options.ts'
import { withPair } from '../pair.ts'

/** A file of 512 MiB that is moved into one volume until it is in the other; and `scp -O` from a real sshd with the same cipher. */
export const largeFile: Measure = {
  name: 'large-file-512MiB',
  run: (options) =>
    withPair(
      async ({ from, to, start, untilInSync }) => {
        const sizeBytes = sizeOf(options, { full: 512, quick: 32 }) * 1024 * 1024
        const outside = dirname(from.volume)
        const key = makeKey()
        const keyFile = join(outside, 'scp.key')
        writeFileSync(keyFile, key.sshPem, { mode: 0o600 })
        const sshd = await startSshd({ member: key, root: outside })
        const appearances = new Appearances(to.volume)
        const [ours, theirs]: [number[], number[]] = [[], []]
        try {
          await start()
          for (let n = 0; n < runsOf(options); n++) {
            const [name, made] = [`large-${n}`, join(outside, `large-${n}`)]
            makeLargeFile(made, sizeBytes)
            syncDisks()
            const source = `${userInfo().username}@127.0.0.1:${made}`
            const scp = [
              '-O',
              '-q',
              ...sshOptions(keyFile),
              '-P',
              `${sshd.port}`,
              source,
              `${made}-scp`,
            ]
            theirs.push(await seconds(() => run('scp', ...scp)))
            rmSync(`${made}-scp`)
            syncDisks()
            const visible = seconds(() => appearances.of(name, sizeBytes))
            renameSync(made, join(from.volume, name))
            ours.push(await visible)
            await untilInSync()
            rmSync(join(from.volume, name))
          }
        } finally {
          appearances.stop()
          await sshd.stop()
        }
        const speeds = ours.map((one, n) => (theirs[n] ?? Number.NaN) / one)
        return [
          { name: `${largeFile.name}/speed-of-scp-O`, unit: 'ratio', runs: speeds },
          { name: largeFile.name, unit: 's', runs: ours },
          { name: `${largeFile.name}/scp-O`, unit: 's', runs: theirs },
        ]
      },
      { SYND_DURABILITY: 'none' },
    ),
}

/** The cipher that two peers of ours agree on: the first that both offer. */
function sshOptions(keyFile: string): string[] {
  const [cipher] = Array.isArray(algorithms.cipher) ? algorithms.cipher : []
  if (cipher === undefined) throw new Error('no cipher is offered')
  const settings = [
    `Ciphers=${cipher}`,
    `IdentityFile=${keyFile}`,
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
  ]
  return ['-F', '/dev/null', ...settings.flatMap((setting) => ['-o', setting])]
}
