import type { ServerChannel, Session } from 'ssh2'

export interface SessionAnswers {
  readonly exec: (channel: ServerChannel, command: string) => void
  /** A shell or subsystem: it gets a channel too, to be told in words. */
  readonly refuse: (channel: ServerChannel) => void
  /** Anything else: it is refused already. */
  readonly refused: () => void
  /** Once; `isUsed`: it had a channel. */
  readonly closed: (isUsed: boolean) => void
}

/** Answers what a client may ask on a session; every request for which there is no listener ssh2 refuses by itself. */
export function answerSession(session: Session, answers: SessionAnswers): void {
  let isOpen = true
  let isUsed = false
  const closed = (): void => {
    if (!isOpen) return
    isOpen = false
    answers.closed(isUsed)
  }
  session.on('close', closed)

  function use(
    accept: () => ServerChannel | undefined,
    serve: (channel: ServerChannel) => void,
  ): void {
    // ssh2 gives none for a second request, and on a session that is closed already.
    const channel = accept()
    if (channel === undefined) return answers.refused()
    isUsed = true
    channel.on('close', closed)
    serve(channel)
  }

  session.on('exec', (accept, _reject, { command }) =>
    use(accept, (channel) => answers.exec(channel, command)),
  )
  session.on('shell', (accept) => use(accept, answers.refuse))
  session.on('subsystem', (accept) => use(accept, answers.refuse))
  for (const request of ['pty', 'env', 'x11', 'auth-agent', 'signal']) {
    session.on(request, (_accept: unknown, reject?: () => void) => {
      answers.refused()
      reject?.()
    })
  }
}
