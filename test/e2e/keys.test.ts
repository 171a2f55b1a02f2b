import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { afterEach, expect, test } from 'vitest'
import { describeWith } from '../transfer/tools.ts'
import { Cluster, type Member } from './cluster.ts'
import { until } from './wait.ts'

let cluster: Cluster | null = null
afterEach(async () => cluster?.stop())

const passphrase = 'open sesame'

const sshKeygen = {
  alpha: ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
  beta: ['-t', 'ecdsa', '-b', '521'],
  new: ['-t', 'ed25519', '-m', 'PKCS8'],
}

function makeKey(name: keyof typeof sshKeygen, path: string): string {
  rmSync(path, { force: true })
  execFileSync('ssh-keygen', ['-q', ...sshKeygen[name], '-N', passphrase, '-f', path])
  return readFileSync(`${path}.pub`, 'utf8').trim()
}

/** Two members with encrypted keys, each with an authorized_keys of its own. */
async function encrypted() {
  const lines = { alpha: '', beta: '' }
  let home = ''
  const made = await Cluster.make(['alpha', 'beta'], {
    makeKey: (name, path) => (lines[memberName(name)] = makeKey(memberName(name), path)),
    settingsOf: (name, place) => {
      home = place.home
      writeFileSync(join(home, 'passphrase'), `${passphrase}\n`)
      return {
        SYND_SSH_KEY_PASSPHRASE_FILE: join(home, 'passphrase'),
        SYND_SSH_AUTHORIZED_KEYS: join(home, `${name}.authorized`),
      }
    },
  })
  const authorize = (name: string, ...keys: string[]): void =>
    writeFileSync(join(home, `${name}.authorized`), `${keys.join('\n')}\n`)
  authorize('alpha', lines.alpha, lines.beta)
  authorize('beta', lines.alpha, lines.beta)
  cluster = made
  return { made, lines, home, authorize }
}

function memberName(name: string): 'alpha' | 'beta' {
  return name === 'alpha' ? 'alpha' : 'beta'
}

/** Logs in to the source of a member; `isOpen` as long as that lasts. */
async function logIn({ ports }: Member, keyText: string) {
  const client = new ssh2.Client()
  const seen = { isOpen: false }
  await new Promise<void>((resolve, reject) => {
    client.on('ready', () => {
      seen.isOpen = true
      resolve()
    })
    client.on('error', reject)
    client.on('close', () => (seen.isOpen = false))
    client.connect({
      host: '127.0.0.1',
      port: ports.ssh,
      username: 'x',
      privateKey: keyText,
      passphrase,
    })
  })
  return seen
}

describeWith(['ssh-keygen'], 'with keys that ssh-keygen made and encrypted', () => {
  test('two peers sync, and keys are taken away and exchanged while they run', async () => {
    const { made, lines, home, authorize } = await encrypted()
    const [alpha, beta] = [made.member('alpha'), made.member('beta')]
    alpha.hands.write('file', 'of alpha')
    beta.hands.write('another', 'of beta')
    await made.start()
    expect([alpha.hands.read('another'), beta.hands.read('file')]).toEqual(['of beta', 'of alpha'])

    const session = await logIn(alpha, readFileSync(join(home, 'beta.key'), 'utf8'))
    authorize('alpha', lines.alpha)
    const beginMs = performance.now()
    await until(async () => {
      const status = await beta.process.status()
      if (session.isOpen) return 'the SSH connection is still open'
      return status?.peers[0]?.connected === false ? null : 'the gRPC connection is still open'
    })
    // "Within seconds", and a slow machine.
    expect(performance.now() - beginMs).toBeLessThan(15_000)
    alpha.hands.write('secret', 'not for beta')
    await expect(logIn(alpha, readFileSync(join(home, 'beta.key'), 'utf8'))).rejects.toThrow(
      /authentication methods failed/,
    )

    const pid = alpha.process.pid
    await beta.process.stop()
    const renewed = makeKey('new', join(home, 'beta.key'))
    authorize('beta', lines.alpha, renewed)
    authorize('alpha', lines.alpha, renewed)
    expect(beta.hands.read('secret')).toBeNull()
    beta.process.start()
    await made.untilInSync()
    expect(beta.hands.read('secret')).toBe('not for beta')
    expect(alpha.process.pid).toBe(pid)
  }, 180_000)

  test('another passphrase, or none, ends it with 78 and says so', async () => {
    const { made, home } = await encrypted()
    const { process } = made.member('alpha')
    for (const given of ['not it', '']) {
      writeFileSync(join(home, 'passphrase'), `${given}\n`)
      process.output = ''
      process.start()
      expect(await process.exited()).toBe(78)
      const lines = process.output.trimEnd().split('\n')
      const words = lines.filter((line) => !line.startsWith('{'))
      expect(words).toHaveLength(1)
      expect(words[0]).toMatch(/SYND_SSH_KEY.*passphrase/)
      expect(process.output).not.toContain(passphrase)
    }
  })
})
