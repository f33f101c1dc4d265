import { type DescField, type DescMessage, isFieldSet, type Message, ScalarType, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { remainderOf } from './remainder.ts';

/** From this size on, bytes are a chunk of their own: below, a copy costs less than one more chunk to write. */
export const OWN_CHUNK_BYTES = 16 * 1024;

/** https://protobuf.dev/programming-guides/proto-limits/: what readers take, whole or as a field. */
export const MAXIMUM_MESSAGE_BYTES = 2 ** 31 - 1;

/**
 * `message` in protobuf's binary form, as chunks to be written one after the other. Bytes fields of 16 KiB and more are
 * chunks as they are, not copied, at whatever depth. More than 2 GiB is a `RangeError`.
 *
 * The fields that lead to such bytes stand behind the others of their message: readers take fields in any order, and only
 * the elements of one field keep theirs (https://protobuf.dev/programming-guides/encoding/#order).
 */
export function messageChunks<Schema extends DescMessage>(schema: Schema, message: Message): Uint8Array[] {
  return joinedWhereSmall(chunksOf(schema, message, new Map()));
}

/** Fields with large bytes in them, by their message; each is looked for once. */
type LargeFields = Map<Message, readonly DescField[]>;

function chunksOf(schema: DescMessage, message: Message, found: LargeFields): Uint8Array[] {
  const large = largeFields(schema, message, found);
  if (large.length === 0) return [toBinary(schema, message)];
  const others = remainderOf(schema, message, large.map(({ localName }) => localName) as never[]);
  const chunks: Uint8Array[] = others ? [toBinary(schema, others)] : [];
  for (const field of large) {
    for (const content of contentsOf(message, field)) {
      const written =
        content instanceof Uint8Array ? [content] : chunksOf(messageOfField(field), content as Message, found);
      chunks.push(lengthPrefix(field, totalLength(written)), ...written);
    }
  }
  return chunks;
}

function largeFields(schema: DescMessage, message: Message, found: LargeFields): readonly DescField[] {
  const known = found.get(message);
  if (known) return known;
  const large = schema.fields.filter((field) => {
    const nested = nestedIn(field);
    if (nested === undefined || !isFieldSet(message, field)) return false;
    return contentsOf(message, field).some((content) =>
      nested === 'bytes'
        ? (content as Uint8Array).length >= OWN_CHUNK_BYTES
        : largeFields(nested, content as Message, found).length > 0,
    );
  });
  found.set(message, large);
  return large;
}

/** What a field holds, once or as a list, of what can be large; a field of a oneof is never a tensor's. */
function nestedIn(field: DescField): DescMessage | 'bytes' | undefined {
  if (field.oneof) return undefined;
  if (field.message && field.fieldKind !== 'map') return field.message;
  return field.scalar === ScalarType.BYTES && field.fieldKind !== 'map' ? 'bytes' : undefined;
}

function messageOfField(field: DescField): DescMessage {
  if (field.message) return field.message;
  throw new TypeError(`Field ${field.name} is no message.`);
}

function contentsOf(message: Message, { localName }: DescField): readonly unknown[] {
  const content = (message as unknown as Record<string, unknown>)[localName];
  return Array.isArray(content) ? content : [content];
}

function lengthPrefix({ number }: DescField, length: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
}

function totalLength(chunks: readonly Uint8Array[]): number {
  const length = chunks.reduce((total, chunk) => total + chunk.length, 0);
  if (length <= MAXIMUM_MESSAGE_BYTES) return length;
  throw new RangeError(`A message of ${length} bytes; protobuf takes ${MAXIMUM_MESSAGE_BYTES} at most.`);
}

/** `chunks` in one piece. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [only, ...more] = chunks;
  if (only && more.length === 0) return only;
  const bytes = new Uint8Array(totalLength(chunks));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Neighbours below the size of a chunk of their own as one, which is a single call to the system when they are written. */
function joinedWhereSmall(chunks: readonly Uint8Array[]): Uint8Array[] {
  totalLength(chunks);
  const result: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (chunk.length < OWN_CHUNK_BYTES) {
      small.push(chunk);
      continue;
    }
    if (small.length > 0) result.push(joined(small));
    small = [];
    result.push(chunk);
  }
  if (small.length > 0) result.push(joined(small));
  return result;
}
