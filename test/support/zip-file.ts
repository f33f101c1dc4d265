import { crc32, deflateRawSync } from 'node:zlib';

/** An entry of an archive; what is left out is as it should be, and what is given may lie. */
export interface ZipEntry {
  name: string | Buffer;
  data?: Uint8Array;
  /** Default: 8, deflate. */
  method?: number;
  /** What stands for the data in the archive. Default: the data by the method, or as it is. */
  stored?: Uint8Array;
  flags?: number;
  crc?: number;
  bytes?: number;
  storedBytes?: number;
  /** Of Unix, for example 0o120777 of a link. */
  mode?: number;
  /** Of its local header. Default: where it is. */
  offset?: number;
}

const UTF_8_NAMES = 0x800;

/** A ZIP archive, byte by byte (APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16). */
export function zipFile(entries: readonly ZipEntry[], { count = entries.length }: { count?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { data = Buffer.alloc(0), method = 8, flags = UTF_8_NAMES, mode = 0o100644 } = entry;
    const name = Buffer.from(entry.name);
    const stored = entry.stored ?? (method === 8 ? deflateRawSync(data) : data);
    const { crc = crc32(data), bytes = data.length, storedBytes = stored.length } = entry;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(storedBytes, 14);
    common.writeUInt32LE(bytes, 18);
    common.writeUInt16LE(name.length, 22);
    parts.push(Buffer.from('PK\u0003\u0004'), common, name, Buffer.from(stored));
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(entry.offset ?? offset, 10);
    const madeByUnix = Buffer.from([20, 3]);
    directory.push(Buffer.from('PK\u0001\u0002'), madeByUnix, common, rest, name);
    offset += 4 + common.length + name.length + stored.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  end.writeUInt16LE(Math.min(count, 0xffff), 8);
  end.writeUInt16LE(Math.min(count, 0xffff), 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, ...(count > 0xffff ? zip64End(count, offset, central.length) : []), end]);
}

/** Record and locator for more entries than 16 bits count (sections 4.3.14 and 4.3.15). */
function zip64End(count: number, directoryOffset: number, directoryBytes: number): Buffer[] {
  const record = Buffer.alloc(56);
  record.write('PK\u0006\u0006', 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directoryBytes), 40);
  record.writeBigUInt64LE(BigInt(directoryOffset), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\u0006\u0007', 'latin1');
  locator.writeBigUInt64LE(BigInt(directoryOffset + directoryBytes), 8);
  locator.writeUInt32LE(1, 16);
  return [record, locator];
}
