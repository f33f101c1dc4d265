import { MAXIMUM_PIXEL, PIXELS_PER_IMAGE } from '@atelier/domain';
import { InvalidRequest, jsonPointer, MAXIMUM_FAULTS, type RequestFault } from '@atelier/http';

/**
 * Packs what `PixelRow` describes into images [count, 28, 28]; `invalid-request` points at the wrong values, the
 * first `MAXIMUM_FAULTS` of them. A loop of its own, because a schema takes 40 ms for 256 rows, in which the service
 * would answer nobody else.
 */
export function packPixelRows(rows: readonly unknown[]): Uint8Array {
  const images = new Uint8Array(rows.length * PIXELS_PER_IMAGE);
  const faults: RequestFault[] = [];
  for (const [index, row] of rows.entries()) {
    if (faults.length >= MAXIMUM_FAULTS) break;
    if (!Array.isArray(row) || row.length !== PIXELS_PER_IMAGE) {
      faults.push({
        pointer: jsonPointer(['pixels', index]),
        detail: `expected a row of ${PIXELS_PER_IMAGE} numbers; came ${Array.isArray(row) ? row.length : describe(row)}`,
      });
      continue;
    }
    for (let pixel = 0; pixel < PIXELS_PER_IMAGE && faults.length < MAXIMUM_FAULTS; pixel++) {
      const value: unknown = row[pixel];
      if (isPixel(value)) images[index * PIXELS_PER_IMAGE + pixel] = value;
      else {
        faults.push({
          pointer: jsonPointer(['pixels', index, pixel]),
          detail: `expected a whole number from 0 to ${MAXIMUM_PIXEL}; came ${describeValue(value)}`,
        });
      }
    }
  }
  if (faults.length > 0) throw new InvalidRequest('Some pixels are wrong.', faults);
  return images;
}

function isPixel(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAXIMUM_PIXEL;
}

function describeValue(value: unknown): string {
  return typeof value === 'number' ? String(value) : describe(value);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
