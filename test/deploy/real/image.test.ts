import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { describeWithDocker } from '../support/containers.ts'
import { syndImage } from '../support/synd-image.ts'
import { at } from '../support/yaml-files.ts'

describeWithDocker('the image', (docker) => {
  const inspect = async (): Promise<unknown> =>
    JSON.parse(await docker('image', 'inspect', syndImage))[0]
  const shell = (script: string) =>
    docker('run', '--rm', '--user', '0', '--entrypoint', 'sh', syndImage, '-c', script)

  test('is smaller than 250 MB', async () => {
    const sizeBytes = Number(at(await inspect(), 'Size'))
    console.log(`image: ${(sizeBytes / 1e6).toFixed(1)} MB`)
    expect(sizeBytes).toBeLessThan(250e6)
  })

  test('has no compiler, no npm, no development dependency and no cache', async () => {
    expect(
      await shell(
        'for name in npm npx corepack yarn gcc g++ cc make python3; do command -v $name; done; ' +
          'ls -d /root/.npm /root/.cache /app/src /app/node_modules/typescript /app/node_modules/vitest /app/node_modules/node 2>/dev/null; ' +
          'find /var/lib/apt/lists -type f; true',
      ),
    ).toBe('')
  })

  test('has the native crypto of ssh2, and Node of the major version that the project pins', async () => {
    const output = await shell(
      'node -e "require(\'/app/node_modules/ssh2/lib/protocol/crypto/build/Release/sshcrypto.node\'); console.log(process.version)"',
    )
    expect(output).toMatch(/^v24\./)
  })

  test('says how it is run: no root, exec form, ports, health, stop signal', async () => {
    const config = at(await inspect(), 'Config')
    expect(at(config, 'User')).toBe('1000:1000')
    expect(at(config, 'Entrypoint')).toEqual(['/usr/local/bin/synd-entrypoint'])
    expect(at(config, 'Cmd')).toEqual(['run'])
    expect(Object.keys(Object(at(config, 'ExposedPorts'))).toSorted()).toEqual([
      '2222/tcp',
      '50051/tcp',
      '9464/tcp',
    ])
    expect(at(config, 'Healthcheck', 'Test')).toEqual(['CMD', 'synd', 'healthcheck'])
    expect(at(config, 'StopSignal')).toBe('SIGTERM')
    // Declared volumes would hide a forgotten mount behind an anonymous one.
    expect(at(config, 'Volumes') ?? null).toBeNull()
  })

  test('has the labels of the OCI', async () => {
    const labels = Object(at(await inspect(), 'Config', 'Labels'))
    for (const name of [
      'title',
      'description',
      'licenses',
      'version',
      'revision',
      'created',
      'base.name',
    ]) {
      expect(labels[`org.opencontainers.image.${name}`], name).toBeTruthy()
    }
    expect(labels['org.opencontainers.image.licenses']).toBe('Apache-2.0')
  })

  test('no file of it can be written by the user it runs as', async () => {
    const writable = await docker(
      'run',
      '--rm',
      '--entrypoint',
      'sh',
      syndImage,
      '-c',
      'find /app /usr /etc /bin -writable ! -type l 2>/dev/null',
    )
    expect(writable).toBe('')
  })

  describeEntrypoint()

  function describeEntrypoint(): void {
    // In the place of Synd: says what it was made.
    const directory = mkdtempSync(join(tmpdir(), 'synd-entrypoint-'))
    chmodSync(directory, 0o755)
    afterAll(() => rmSync(directory, { recursive: true }))
    const probe = join(directory, 'synd.mjs')
    writeFileSync(
      probe,
      `import { readFileSync } from 'node:fs'
const status = readFileSync('/proc/self/status', 'utf8')
const line = (name) => new RegExp('^' + name + ':\\\\s*(.*)$', 'm').exec(status)[1]
console.log(JSON.stringify({ pid: process.pid, uid: process.getuid(), gid: process.getgid(),
  groups: line('Groups').trim().split(' ').map(Number).sort(), umask: process.umask().toString(8),
  effective: line('CapEff'), permitted: line('CapPrm'), noNewPrivileges: line('NoNewPrivs'), args: process.argv.slice(2),
  puid: process.env.PUID ?? null }))
`,
    )
    const start = async (...options: readonly string[]) => {
      const result = await docker.try(
        'run',
        '--rm',
        '--read-only',
        '--volume',
        `${probe}:/app/bin/synd.js:ro`,
        ...options,
        syndImage,
        'run',
        '--peers',
        'a b',
      )
      return { ...result, seen: result.code === 0 ? JSON.parse(result.stdout) : null }
    }
    const noCapabilities = '0000000000000000'

    test('it becomes process 1, as user 1000, and hands its arguments on', async () => {
      const { seen } = await start('--cap-drop', 'ALL')
      expect(seen).toMatchObject({
        pid: 1,
        uid: 1000,
        gid: 1000,
        effective: noCapabilities,
        args: ['run', '--peers', 'a b'],
      })
    })

    test('it works with any user', async () => {
      const { seen } = await start('--cap-drop', 'ALL', '--user', '4711:4712')
      expect(seen).toMatchObject({ uid: 4711, gid: 4712, effective: noCapabilities })
    })

    test('started as root with PUID, PGID and UMASK it drops to them for good', async () => {
      const { seen } = await start(
        '--user',
        '0',
        '--env',
        'PUID=4711',
        '--env',
        'PGID=4712',
        '--env',
        'UMASK=027',
      )
      expect(seen).toEqual({
        pid: 1,
        uid: 4711,
        gid: 4712,
        groups: [4712],
        umask: '27',
        effective: noCapabilities,
        permitted: noCapabilities,
        noNewPrivileges: '1',
        args: ['run', '--peers', 'a b'],
        puid: null,
      })
    })

    test('two capabilities are all it needs to drop to PUID, and the group is PUID where none is given', async () => {
      const { seen } = await start(
        '--user',
        '0',
        '--cap-drop',
        'ALL',
        '--cap-add',
        'SETUID',
        '--cap-add',
        'SETGID',
        '--env',
        'PUID=4711',
      )
      expect(seen).toMatchObject({ uid: 4711, gid: 4711, permitted: noCapabilities })
    })

    test("groups that the container was given stay, root's own does not", async () => {
      const { seen } = await start('--user', '0', '--group-add', '5001', '--env', 'PUID=4711')
      expect(seen.groups).toEqual([4711, 5001])
    })

    test('started as root without PUID it stays root', async () => {
      const { seen } = await start('--user', '0')
      expect(seen).toMatchObject({ uid: 0, pid: 1 })
    })

    test('UMASK holds without root too', async () => {
      const { seen } = await start('--env', 'UMASK=0077')
      expect(seen).toMatchObject({ uid: 1000, umask: '77' })
    })

    test("PUID of another user than the container's is ignored, and said", async () => {
      const { seen, stderr } = await start('--user', '4711', '--env', 'PUID=1000')
      expect(seen).toMatchObject({ uid: 4711 })
      expect(stderr).toMatch(/^synd: PUID=1000 is ignored.*\n$/)
    })

    test.each([
      [
        'capabilities are missing',
        ['--user', '0', '--cap-drop', 'ALL', '--env', 'PUID=4711'],
        /SETUID and SETGID.*user: "4711:4711"/,
      ],
      ['PUID is a name', ['--user', '0', '--env', 'PUID=synd'], /PUID=synd is no numeric user/],
      [
        'PGID is negative',
        ['--user', '0', '--env', 'PUID=1', '--env', 'PGID=-1'],
        /PGID=-1 is no numeric user/,
      ],
      ['PGID comes alone', ['--user', '0', '--env', 'PGID=1000'], /PUID= is no numeric user/],
      ['UMASK is no mask', ['--env', 'UMASK=9'], /UMASK=9 is no file mask/],
    ])('one line and exit 78 when %s', async (_, options, message) => {
      const { code, stdout, stderr } = await start(...options)
      expect(code).toBe(78)
      expect(stdout).toBe('')
      expect(stderr).toMatch(message)
      expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    })
  }
})
