import { create } from '@bufbuild/protobuf';
import { type StringStringEntryProto, StringStringEntryProtoSchema } from './generated/onnx_pb.js';

export function readEntries(entries: readonly StringStringEntryProto[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

/** Entries of `record`; `original` ones, which may say more or say a key twice, when they still mean the same. */
export function writeEntries(
  record: Readonly<Record<string, string>>,
  original: readonly StringStringEntryProto[] = [],
): StringStringEntryProto[] {
  const before = readEntries(original);
  const keys = Object.keys(record);
  const unchanged = keys.length === Object.keys(before).length && keys.every((key) => before[key] === record[key]);
  if (unchanged) return [...original];
  return keys.map((key) => create(StringStringEntryProtoSchema, { key, value: record[key] ?? '' }));
}

/** True when a record says everything that the entries do. */
export function areFullyHeld(entries: readonly StringStringEntryProto[]): boolean {
  return (
    entries.every(({ $unknown }) => !$unknown?.length) && new Set(entries.map(({ key }) => key)).size === entries.length
  );
}
