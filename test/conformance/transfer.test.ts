import { startPair } from '../transfer/peers.ts'
import { transferSuite } from './transfer-suite.ts'

transferSuite('transfer over SSH, from an embedded source', async () => {
  const pair = await startPair()
  return {
    transfer: pair.transfer,
    target: pair.target,
    put: (path, content) => pair.volume.put(path, content),
    remove: (path) => pair.volume.remove(path),
    cut: () => pair.source.stop(),
    stop: pair.stop,
  }
})
