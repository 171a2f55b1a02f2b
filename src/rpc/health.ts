import {
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
} from '@grpc/grpc-js'
import type { HealthCheckRequest__Output } from './generated/grpc/health/v1/HealthCheckRequest.ts'
import type { HealthHandlers } from './generated/grpc/health/v1/Health.ts'
import {
  _grpc_health_v1_HealthCheckResponse_ServingStatus as servingStatus,
  type HealthCheckResponse,
} from './generated/grpc/health/v1/HealthCheckResponse.ts'

type CheckCall = ServerUnaryCall<HealthCheckRequest__Output, HealthCheckResponse>
type WatchCall = ServerWritableStream<HealthCheckRequest__Output, HealthCheckResponse>
type ServingStatus = (typeof servingStatus)[keyof typeof servingStatus]

/** The server as a whole, and the one service that it has besides this. */
const knownServices: readonly string[] = ['', 'synd.v1.Synd']

/** Who watches is told of a change within this. */
const lookMs = 500

/**
 * grpc.health.v1.Health: SERVING while /readyz says 200. Whoever may connect may ask: peers, and with TLS off everybody. It says less than a
 * Hello does.
 */
export class HealthService {
  readonly #isReady: () => boolean
  readonly #refusal: (call: CheckCall | WatchCall) => Partial<StatusObject> | null
  readonly #watchers = new Map<WatchCall, ServingStatus>()
  #timer: NodeJS.Timeout | null = null

  /** `refusal` is what a caller that is not a peer any more is told; null lets it ask. */
  constructor(options: {
    isReady: () => boolean
    refusal: (call: CheckCall | WatchCall) => Partial<StatusObject> | null
  }) {
    this.#isReady = options.isReady
    this.#refusal = options.refusal
  }

  get handlers(): HealthHandlers {
    return {
      Check: (call: CheckCall, callback: sendUnaryData<HealthCheckResponse>) =>
        this.#check(call, callback),
      Watch: (call: WatchCall) => this.#watch(call),
    }
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#watchers.clear()
  }

  #check(call: CheckCall, callback: sendUnaryData<HealthCheckResponse>): void {
    const refusal = this.#refusal(call)
    if (refusal !== null) return callback(refusal)
    if (knownServices.includes(call.request.service))
      return callback(null, { status: this.#status() })
    callback({ code: status.NOT_FOUND, details: 'no such service' })
  }

  #watch(call: WatchCall): void {
    call.on('error', () => undefined)
    const refusal = this.#refusal(call)
    if (refusal !== null) {
      call.emit('error', refusal)
      return
    }
    const isKnown = knownServices.includes(call.request.service)
    const now = isKnown ? this.#status() : servingStatus.SERVICE_UNKNOWN
    call.write({ status: now })
    if (!isKnown) return
    this.#watchers.set(call, now)
    call.on('close', () => this.#watchers.delete(call))
    call.on('cancelled', () => this.#watchers.delete(call))
    this.#timer ??= setInterval(() => this.#look(), lookMs)
  }

  #look(): void {
    const now = this.#status()
    for (const [call, told] of this.#watchers) {
      if (told === now) continue
      this.#watchers.set(call, now)
      call.write({ status: now })
    }
    if (this.#watchers.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #status(): ServingStatus {
    return this.#isReady() ? servingStatus.SERVING : servingStatus.NOT_SERVING
  }
}
