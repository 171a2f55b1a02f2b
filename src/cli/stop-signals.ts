/**
 * Resolves at the first SIGTERM or SIGINT from now on; the second ends the process at once. To be asked for before anything else is loaded: until
 * then a signal ends the process as if it had failed, or, where it is process 1 of a container, is lost.
 */
export function untilStopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let isFirst = true
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!isFirst) process.exit(1)
      isFirst = false
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
