/** What a tensor's elements are here, whatever carried them. */
export type Values = (number | string | boolean)[];

interface Format {
  bytes: number;
  write: (view: DataView, place: number, value: number) => void;
  read: (view: DataView, place: number) => number;
}

/** Section "Tensor Data Types"; raw form as in the extension "Binary Tensor Data": little-endian. */
const FORMATS: Readonly<Record<string, Format>> = {
  BOOL: { bytes: 1, write: (v, p, x) => v.setUint8(p, x), read: (v, p) => v.getUint8(p) },
  UINT8: { bytes: 1, write: (v, p, x) => v.setUint8(p, x), read: (v, p) => v.getUint8(p) },
  UINT16: { bytes: 2, write: (v, p, x) => v.setUint16(p, x, true), read: (v, p) => v.getUint16(p, true) },
  UINT32: { bytes: 4, write: (v, p, x) => v.setUint32(p, x, true), read: (v, p) => v.getUint32(p, true) },
  UINT64: {
    bytes: 8,
    write: (v, p, x) => v.setBigUint64(p, BigInt(x), true),
    read: (v, p) => Number(v.getBigUint64(p, true)),
  },
  INT8: { bytes: 1, write: (v, p, x) => v.setInt8(p, x), read: (v, p) => v.getInt8(p) },
  INT16: { bytes: 2, write: (v, p, x) => v.setInt16(p, x, true), read: (v, p) => v.getInt16(p, true) },
  INT32: { bytes: 4, write: (v, p, x) => v.setInt32(p, x, true), read: (v, p) => v.getInt32(p, true) },
  INT64: {
    bytes: 8,
    write: (v, p, x) => v.setBigInt64(p, BigInt(x), true),
    read: (v, p) => Number(v.getBigInt64(p, true)),
  },
  FP32: { bytes: 4, write: (v, p, x) => v.setFloat32(p, x, true), read: (v, p) => v.getFloat32(p, true) },
  FP64: { bytes: 8, write: (v, p, x) => v.setFloat64(p, x, true), read: (v, p) => v.getFloat64(p, true) },
};

/** Of the protocol, with those that have no form here. */
export const PROTOCOL_DATATYPES = [...Object.keys(FORMATS), 'FP16', 'BYTES'];

/** Whether we can write and read tensors of this datatype. */
export function isKnown(datatype: string): boolean {
  return datatype === 'BYTES' || Object.hasOwn(FORMATS, datatype);
}

/** Small whole numbers, the same in every datatype. */
export function sampleValues(datatype: string, count: number): Values {
  return Array.from({ length: count }, (_, index) => {
    if (datatype === 'BYTES') return `sample ${index}`;
    return datatype === 'BOOL' ? index % 3 === 1 : index % 7;
  });
}

export function toRaw(datatype: string, values: Values): Buffer {
  if (datatype === 'BYTES') {
    return Buffer.concat(
      values.flatMap((text) => {
        const bytes = Buffer.from(String(text));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }),
    );
  }
  const { bytes, write } = formatOf(datatype);
  const raw = Buffer.alloc(values.length * bytes);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  values.forEach((value, index) => write(view, index * bytes, Number(value)));
  return raw;
}

export function fromRaw(datatype: string, raw: Buffer): Values {
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    for (let place = 0; place < raw.length;) {
      const end = place + 4 + raw.readUInt32LE(place);
      texts.push(raw.toString('utf8', place + 4, end));
      place = end;
    }
    return texts;
  }
  const { bytes, read } = formatOf(datatype);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  return Array.from({ length: Math.floor(raw.length / bytes) }, (_, index) => read(view, index * bytes));
}

/** Row-major values as arrays in arrays. */
export function nest(values: Values, shape: readonly number[]): unknown {
  if (shape.length <= 1) return values;
  const [count = 0, ...rest] = shape;
  const size = values.length / count;
  return Array.from({ length: count }, (_, index) => nest(values.slice(index * size, (index + 1) * size), rest));
}

function formatOf(datatype: string): Format {
  const format = FORMATS[datatype];
  if (format === undefined) throw new Error(`There is no form for ${datatype} here.`);
  return format;
}
