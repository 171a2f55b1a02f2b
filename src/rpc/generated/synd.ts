import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Acknowledgement as _synd_v1_Acknowledgement, Acknowledgement__Output as _synd_v1_Acknowledgement__Output } from './synd/v1/Acknowledgement.ts';
import type { Announcement as _synd_v1_Announcement, Announcement__Output as _synd_v1_Announcement__Output } from './synd/v1/Announcement.ts';
import type { Directory as _synd_v1_Directory, Directory__Output as _synd_v1_Directory__Output } from './synd/v1/Directory.ts';
import type { Diverged as _synd_v1_Diverged, Diverged__Output as _synd_v1_Diverged__Output } from './synd/v1/Diverged.ts';
import type { Dot as _synd_v1_Dot, Dot__Output as _synd_v1_Dot__Output } from './synd/v1/Dot.ts';
import type { EmbeddedSource as _synd_v1_EmbeddedSource, EmbeddedSource__Output as _synd_v1_EmbeddedSource__Output } from './synd/v1/EmbeddedSource.ts';
import type { Entry as _synd_v1_Entry, Entry__Output as _synd_v1_Entry__Output } from './synd/v1/Entry.ts';
import type { File as _synd_v1_File, File__Output as _synd_v1_File__Output } from './synd/v1/File.ts';
import type { HelloRequest as _synd_v1_HelloRequest, HelloRequest__Output as _synd_v1_HelloRequest__Output } from './synd/v1/HelloRequest.ts';
import type { HelloResponse as _synd_v1_HelloResponse, HelloResponse__Output as _synd_v1_HelloResponse__Output } from './synd/v1/HelloResponse.ts';
import type { Introduction as _synd_v1_Introduction, Introduction__Output as _synd_v1_Introduction__Output } from './synd/v1/Introduction.ts';
import type { OpenSshSource as _synd_v1_OpenSshSource, OpenSshSource__Output as _synd_v1_OpenSshSource__Output } from './synd/v1/OpenSshSource.ts';
import type { OutcomeRange as _synd_v1_OutcomeRange, OutcomeRange__Output as _synd_v1_OutcomeRange__Output } from './synd/v1/OutcomeRange.ts';
import type { Recorded as _synd_v1_Recorded, Recorded__Output as _synd_v1_Recorded__Output } from './synd/v1/Recorded.ts';
import type { Reply as _synd_v1_Reply, Reply__Output as _synd_v1_Reply__Output } from './synd/v1/Reply.ts';
import type { Settled as _synd_v1_Settled, Settled__Output as _synd_v1_Settled__Output } from './synd/v1/Settled.ts';
import type { SourceOffer as _synd_v1_SourceOffer, SourceOffer__Output as _synd_v1_SourceOffer__Output } from './synd/v1/SourceOffer.ts';
import type { Symlink as _synd_v1_Symlink, Symlink__Output as _synd_v1_Symlink__Output } from './synd/v1/Symlink.ts';
import type { SyndClient as _synd_v1_SyndClient, SyndDefinition as _synd_v1_SyndDefinition } from './synd/v1/Synd.ts';
import type { Tombstone as _synd_v1_Tombstone, Tombstone__Output as _synd_v1_Tombstone__Output } from './synd/v1/Tombstone.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  synd: {
    v1: {
      Acknowledgement: MessageTypeDefinition<_synd_v1_Acknowledgement, _synd_v1_Acknowledgement__Output>
      Announcement: MessageTypeDefinition<_synd_v1_Announcement, _synd_v1_Announcement__Output>
      Directory: MessageTypeDefinition<_synd_v1_Directory, _synd_v1_Directory__Output>
      Diverged: MessageTypeDefinition<_synd_v1_Diverged, _synd_v1_Diverged__Output>
      Dot: MessageTypeDefinition<_synd_v1_Dot, _synd_v1_Dot__Output>
      EmbeddedSource: MessageTypeDefinition<_synd_v1_EmbeddedSource, _synd_v1_EmbeddedSource__Output>
      Entry: MessageTypeDefinition<_synd_v1_Entry, _synd_v1_Entry__Output>
      File: MessageTypeDefinition<_synd_v1_File, _synd_v1_File__Output>
      HelloRequest: MessageTypeDefinition<_synd_v1_HelloRequest, _synd_v1_HelloRequest__Output>
      HelloResponse: MessageTypeDefinition<_synd_v1_HelloResponse, _synd_v1_HelloResponse__Output>
      Introduction: MessageTypeDefinition<_synd_v1_Introduction, _synd_v1_Introduction__Output>
      ListsCaller: EnumTypeDefinition
      Mode: EnumTypeDefinition
      OpenSshSource: MessageTypeDefinition<_synd_v1_OpenSshSource, _synd_v1_OpenSshSource__Output>
      Outcome: EnumTypeDefinition
      OutcomeRange: MessageTypeDefinition<_synd_v1_OutcomeRange, _synd_v1_OutcomeRange__Output>
      Recorded: MessageTypeDefinition<_synd_v1_Recorded, _synd_v1_Recorded__Output>
      RemovedKind: EnumTypeDefinition
      Reply: MessageTypeDefinition<_synd_v1_Reply, _synd_v1_Reply__Output>
      Settled: MessageTypeDefinition<_synd_v1_Settled, _synd_v1_Settled__Output>
      SourceOffer: MessageTypeDefinition<_synd_v1_SourceOffer, _synd_v1_SourceOffer__Output>
      Symlink: MessageTypeDefinition<_synd_v1_Symlink, _synd_v1_Symlink__Output>
      Synd: SubtypeConstructor<typeof grpc.Client, _synd_v1_SyndClient> & { service: _synd_v1_SyndDefinition }
      Tombstone: MessageTypeDefinition<_synd_v1_Tombstone, _synd_v1_Tombstone__Output>
    }
  }
}

