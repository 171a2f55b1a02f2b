/** What an honest source sends for a file `first` of the content `one`. */
export const first = 'T1 0 1 0\nC0644 3 first\none\0'

/** And for `second`, `two`. */
export const second = 'T1 0 1 0\nC0644 3 second\ntwo\0'

/** Far enough up for every directory that a test may stand in. */
const up = '../'.repeat(13)

/** What a source sends instead of a file `first` of 3 bytes `one`, and in words what is wrong with it. */
export const scpLies: readonly (readonly [string, string])[] = [
  ['another base name', 'C0644 3 other\none\0'],
  ['a longer name', 'C0644 3 first2\none\0'],
  ['a path in the name', 'C0644 3 dir/first\none\0'],
  ['a way out', 'C0644 3 ../first\none\0'],
  ['an absolute path', 'C0644 3 /first\none\0'],
  ['an empty name', 'C0644 3 \none\0'],
  ['the name .', 'C0644 3 .\none\0'],
  ['the name ..', 'C0644 3 ..\none\0'],
  ['a name of 5,000 bytes', `C0644 3 ${'x'.repeat(5000)}\none\0`],
  ['a name with control and escape bytes', 'C0644 3 \x1b]0;owned\x07first\none\0'],
  ['a name with NUL', 'C0644 3 first\0\none\0'],
  ['a directory', 'D0755 0 dir\nC0644 3 first\none\0E\n'],
  ['the end of a directory', 'E\nC0644 3 first\none\0'],
  ['times that are none', 'Tgarbage\nC0644 3 first\none\0'],
  ['times twice', 'T1 0 1 0\nT1 0 1 0\nC0644 3 first\none\0'],
  ['times for ever', 'T1 0 1 0\n'.repeat(10_000)],
  ['mode 99999', 'C99999 3 first\none\0'],
  ['mode -1', 'C-1 3 first\none\0'],
  ['no mode', 'C 3 first\none\0'],
  ['size 2^63', 'C0644 9223372036854775808 first\none\0'],
  ['size -1', 'C0644 -1 first\none\0'],
  ['size 1e9', 'C0644 1e9 first\none\0'],
  ['a larger size', `C0644 4 first\none!\0`],
  ['a smaller size', 'C0644 2 first\non\0'],
  ['two headers', 'C0644 3 first\nC0644 3 first\none\0'],
  ['more bytes than it said', 'C0644 3 first\none more\0'],
  ['no trailer', `C0644 3 first\none${second}`],
  ['an endless line', 'C0644 3 '.padEnd(2_000_000, 'x')],
  ['an endless error line', '\x01'.padEnd(2_000_000, 'x')],
  ['text before the file', 'Welcome!\nC0644 3 first\none\0'],
  ['wrong bytes of the right size', 'C0644 3 first\neno\0'],
  // As the bad servers of OpenSSH's regress/scp-ssh-wrapper.sh do.
  ['a directory below the root', 'D0755 0 /tmp/rootpathdir\nC755 2 rootpathfile\nX\n'],
  ['a directory far above', `D0755 0 ${up}tmp/dotpathdir\nC755 2 file\nX\n`],
  [
    'directories up to the root, one by one',
    `${'D0755 0 ..\n'.repeat(13)}D0755 0 tmp\nC755 2 file\nX\n`,
  ],
  ['directories and the way out of them', 'D0755 0 tmp\nD0755 0 ..\nC755 2 file\nX\n'],
  ['a directory without a name', 'D0555 0 \nX\n'],
  ['a directory .', 'D0555 0 .\nX\n'],
  ['a file that nobody asked for', 'C0755 2 extrafile\nX\n'],
  // And what Synd asks for but not so.
  ['mode 07777 of five digits', 'C07777 3 first\none\0'],
  ['a size in other words', 'C0644 0x3 first\none\0'],
  ['a size of 3 and a space', 'C0644 3  first\none\0'],
]
