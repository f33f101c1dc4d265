import { DomainError } from '@atelier/domain';

/**
 * Most fields of a message, nested ones included: what they cost is their number, not their bytes. 16 MB of empty inputs
 * are 8 million objects; so many of them take 20 ms.
 */
const MAXIMUM_FIELDS = 10_000;

type Packed = 'varints' | 32 | 64;

/** What of a message is worth a look inside: the messages and the lists of numbers in it, by their field numbers. */
interface Shape {
  [field: number]: Shape | Packed;
}

const CONTENTS: Shape = { 1: 'varints', 2: 'varints', 3: 'varints', 4: 'varints', 5: 'varints', 6: 32, 7: 64 };

/** `ModelInferRequest`, whose tensors are all that is ever large. The numbers are those of `inference.proto`. */
export const INFER_REQUEST: Shape = { 5: { 3: 'varints', 5: CONTENTS } };

/** What may come in one message. */
interface Budget {
  fields: number;
  numbers: number;
}

/**
 * Refuses with `payload-too-large` a message that has more than `maximumNumbers` numbers in its lists or `MAXIMUM_FIELDS`
 * fields, counted in the bytes, before anything is built of them
 * (https://protobuf.dev/programming-guides/encoding); and with `malformed-body` one that breaks off inside a field, of which
 * the decoder would take what is there.
 */
export function refuseCostly(message: Uint8Array, shape: Shape, maximumNumbers: number): void {
  const left: Budget = { fields: MAXIMUM_FIELDS, numbers: maximumNumbers };
  count(message, 0, message.length, shape, left, maximumNumbers);
}

function count(bytes: Uint8Array, from: number, end: number, shape: Shape, left: Budget, maximum: number): void {
  let place = from;
  /** A varint's value, up to 2^53. */
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; place < end; scale *= 128) {
      const byte = bytes[place++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw brokenOff();
  };
  while (place < end) {
    if (left.fields-- <= 0) throw tooMuch(`${MAXIMUM_FIELDS} fields`);
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) place += 8;
    else if (kind === 5) place += 4;
    else if (kind === 2) {
      const length = varint();
      const stop = place + length;
      if (stop > end) throw brokenOff();
      const inside = shape[Math.floor(tag / 8)];
      if (typeof inside === 'object') count(bytes, place, stop, inside, left, maximum);
      else if (inside !== undefined) {
        left.numbers -= inside === 'varints' ? varintsIn(bytes, place, stop) : (stop - place) / (inside / 8);
        if (left.numbers < 0) throw tooMuch(`${maximum} numbers`);
      }
      place = stop;
    }
  }
  if (place > end) throw brokenOff();
}

/** Each ends with the one byte of it below 128. */
function varintsIn(bytes: Uint8Array, from: number, end: number): number {
  let ends = 0;
  for (let place = from; place < end; place++) if ((bytes[place] ?? 0) < 0x80) ends++;
  return ends;
}

function tooMuch(what: string): DomainError {
  return new DomainError('payload-too-large', `The message has more than ${what}.`);
}

function brokenOff(): DomainError {
  return new DomainError('malformed-body', 'The message breaks off inside a field.');
}
