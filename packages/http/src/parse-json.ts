import { isAscii } from 'node:buffer';
import { DomainError, messageOf } from '@atelier/domain';

/**
 * Most arrays, objects and strings (names included) of a body: what they cost is their number, not their bytes. 16 MB of
 * `{"a":0},` occupy the thread for seconds and take a gigabyte; so many of them take 50 ms.
 */
const MAXIMUM_PARTS = 50_000;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/**
 * The value of a JSON body in UTF-8. Rejects with `malformed-json`, and with `payload-too-large` where it has more than
 * `maximumValues` values or `MAXIMUM_PARTS` parts; these are counted before anything is built of them.
 */
export function parseJson(body: Buffer, maximumValues: number): unknown {
  // Every value and every part has a byte of its own: what is shorter than both limits keeps them.
  if (body.length > Math.min(maximumValues, MAXIMUM_PARTS)) refuseCostly(body, maximumValues);
  const text = decode(body);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(placeOf(messageOf(error))); // not as its cause: it would bring a piece of the body into the log
  }
}

/** JSON is UTF-8 (RFC 8259, section 8.1): `unsupported-media-type` for a `Content-Type` that says otherwise. */
export function requireUtf8(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  if (/^utf-?8$/i.test(charset)) return;
  throw new DomainError('unsupported-media-type', `JSON in charset ${JSON.stringify(charset)}; expected utf-8.`);
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function decode(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1'); // most bodies are, and it takes a tenth of the time
  try {
    return UTF_8.decode(body);
  } catch {
    throw malformed(': it is not UTF-8');
  }
}

/** What the engine's message says of the place; its other words quote the body. */
function placeOf(message: string): string {
  if (message.includes('Unexpected end')) return ': it breaks off';
  const place = /at position (\d+)/.exec(message)?.[1];
  return place === undefined ? '' : `: the fault is at character ${place}`;
}

function malformed(reason: string): DomainError {
  return new DomainError('malformed-json', `The body is not JSON${reason}.`);
}

/** One pass over the bytes that keeps only counts. What is no JSON it counts somehow; the parser finds that out. */
function refuseCostly(body: Buffer, maximumValues: number): void {
  let parts = 0;
  let commas = 0;
  for (let place = 0; place < body.length; place++) {
    const byte = body[place] ?? 0;
    if (byte === QUOTE) {
      parts++;
      place = endOfString(body, place);
    } else if (byte === BRACKET || byte === BRACE) parts++;
    else if (byte === COMMA) commas++;
    if (parts > MAXIMUM_PARTS) throw tooMuch(MAXIMUM_PARTS, 'arrays, objects and strings');
    if (commas >= maximumValues) throw tooMuch(maximumValues, 'values');
  }
}

/** The place of the quote that ends the string whose first quote is at `start`, or the end of the body. */
function endOfString(body: Buffer, start: number): number {
  let place = start + 1;
  while (place < body.length && body[place] !== QUOTE) place += body[place] === BACKSLASH ? 2 : 1;
  return place;
}

function tooMuch(maximum: number, what: string): DomainError {
  return new DomainError('payload-too-large', `The JSON has more than ${maximum} ${what}.`);
}
