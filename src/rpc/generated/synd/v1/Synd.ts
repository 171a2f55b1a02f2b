// Original file: proto/synd/v1/synd.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Announcement as _synd_v1_Announcement, Announcement__Output as _synd_v1_Announcement__Output } from '../../synd/v1/Announcement.ts';
import type { HelloRequest as _synd_v1_HelloRequest, HelloRequest__Output as _synd_v1_HelloRequest__Output } from '../../synd/v1/HelloRequest.ts';
import type { HelloResponse as _synd_v1_HelloResponse, HelloResponse__Output as _synd_v1_HelloResponse__Output } from '../../synd/v1/HelloResponse.ts';
import type { Reply as _synd_v1_Reply, Reply__Output as _synd_v1_Reply__Output } from '../../synd/v1/Reply.ts';

export interface SyndClient extends grpc.Client {
  Hello(argument: _synd_v1_HelloRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  Hello(argument: _synd_v1_HelloRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  Hello(argument: _synd_v1_HelloRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  Hello(argument: _synd_v1_HelloRequest, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  hello(argument: _synd_v1_HelloRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  hello(argument: _synd_v1_HelloRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  hello(argument: _synd_v1_HelloRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  hello(argument: _synd_v1_HelloRequest, callback: grpc.requestCallback<_synd_v1_HelloResponse__Output>): grpc.ClientUnaryCall;
  
  Notify(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_synd_v1_Announcement, _synd_v1_Reply__Output>;
  Notify(options?: grpc.CallOptions): grpc.ClientDuplexStream<_synd_v1_Announcement, _synd_v1_Reply__Output>;
  notify(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_synd_v1_Announcement, _synd_v1_Reply__Output>;
  notify(options?: grpc.CallOptions): grpc.ClientDuplexStream<_synd_v1_Announcement, _synd_v1_Reply__Output>;
  
}

export interface SyndHandlers extends grpc.UntypedServiceImplementation {
  Hello: grpc.handleUnaryCall<_synd_v1_HelloRequest__Output, _synd_v1_HelloResponse>;
  
  Notify: grpc.handleBidiStreamingCall<_synd_v1_Announcement__Output, _synd_v1_Reply>;
  
}

export interface SyndDefinition extends grpc.ServiceDefinition {
  Hello: MethodDefinition<_synd_v1_HelloRequest, _synd_v1_HelloResponse, _synd_v1_HelloRequest__Output, _synd_v1_HelloResponse__Output>
  Notify: MethodDefinition<_synd_v1_Announcement, _synd_v1_Reply, _synd_v1_Announcement__Output, _synd_v1_Reply__Output>
}
