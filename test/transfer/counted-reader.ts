import type { FileReader, OpenedFile } from '../../src/transfer/source/served-file.ts'

/** A reader that knows what is open; `onRead` is called before each read, with its position, and may change the file. */
export function countedReader(
  reader: FileReader,
  onRead: (position: number) => void = () => undefined,
) {
  const opened = { now: 0, ever: 0 }
  const counted: FileReader = {
    open: async (path) => {
      const file = await reader.open(path)
      opened.now++
      opened.ever++
      return countedFile(file, onRead, () => opened.now--)
    },
  }
  return { reader: counted, opened }
}

function countedFile(
  file: OpenedFile,
  onRead: (position: number) => void,
  closed: () => void,
): OpenedFile {
  return {
    look: () => file.look(),
    read: (position, maxBytes) => {
      onRead(position)
      return file.read(position, maxBytes)
    },
    close: async () => {
      await file.close()
      closed()
    },
  }
}
