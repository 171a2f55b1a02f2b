import { networkSuite } from '../conformance/network-suite.ts'
import { openGrpcWorld } from './world.ts'

networkSuite('gRPC with TLS from SSH keys', () => openGrpcWorld(true))
networkSuite('gRPC without TLS', () => openGrpcWorld(false))
