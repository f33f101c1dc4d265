import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import type { Server } from '@grpc/grpc-js';
import type { AnyDefinition, MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

/** Lets clients ask for the schemas, by `grpc.reflection.v1` and `v1alpha`. */
export function addReflection(server: Server, ...schemas: PackageDefinition[]): void {
  const messages = schemas.flatMap((schema) => Object.values(schema).filter(isMessage).slice(0, 1)); // each knows its whole file
  const named = messages.map((message, index) => {
    return [String(index), { ...message, fileDescriptorProtos: message.fileDescriptorProtos.map(withEntryNames) }];
  });
  new ReflectionService(Object.fromEntries(named) as PackageDefinition).addToServer(server);
}

function isMessage(definition: AnyDefinition): definition is MessageTypeDefinition<object, object> {
  return Array.isArray(definition.fileDescriptorProtos);
}

/**
 * The loader names the entries of a map `parameters` after the field, `Parameters`; descriptors have `ParametersEntry`
 * (descriptor.proto, `MessageOptions.map_entry`), and clients in Go and C++ take no other.
 */
function withEntryNames(bytes: Buffer): Buffer {
  const file = fromBinary(FileDescriptorProtoSchema, bytes);
  for (const message of file.messageType) nameEntries(message);
  return Buffer.from(toBinary(FileDescriptorProtoSchema, file));
}

function nameEntries(message: DescriptorProto): void {
  for (const nested of message.nestedType) {
    nameEntries(nested);
    if (nested.options?.mapEntry !== true || nested.name.endsWith('Entry')) continue;
    for (const field of message.field) if (field.typeName === nested.name) field.typeName = `${nested.name}Entry`;
    nested.name = `${nested.name}Entry`;
  }
}
