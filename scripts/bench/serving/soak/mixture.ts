import { type KnownImage, knownImages, knownPhotographs, pngOf } from '../images.ts';
import type { PreparedRequest } from '../load/load-plan.ts';
import { photographRequest, pixelsRequest, pngRequest, requestBytes, tensorRequest } from '../requests.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PNG_TYPE = { 'Content-Type': 'image/png' };

/** How long clients that go away stay, in ms: before their request is read, in the queue, near the answer. */
const STAYS_MS = [0, 1, 2, 5];

/**
 * What a service gets to see: of a hundred requests some 40 of pixels, 28 tensors, 20 small PNG, 2 photographs, 5 that
 * are wrong in some way, and 5 whose client goes away. In an order that looks drawn and is always the same.
 */
export async function mixture(modelsDirectory: string): Promise<PreparedRequest[]> {
  const images = await knownImages(modelsDirectory);
  const pixels = images.map(pixelsRequest);
  const tensors = images.map((image) => tensorRequest([image]));
  const files = await Promise.all(images.map(pngRequest));
  const photographs = (await knownPhotographs(modelsDirectory, images)).map(photographRequest);
  const leaving = [...pixels, ...tensors, ...files].map((request, index) => leaves(request, index));
  const kinds: [PreparedRequest[], number][] = [
    [pixels, 400],
    [tensors, 280],
    [files, 200],
    [photographs, 20],
    [await wrongRequests(inTurn(images, 0)), 50],
    [leaving, 50],
  ];
  const all = kinds.flatMap(([requests, count]) =>
    Array.from({ length: count }, (_, index) => inTurn(requests, index)),
  );
  // 619 and 1000 have no common divisor, so every request comes once.
  return all.map((_, index) => inTurn(all, index * 619));
}

function inTurn<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('Nothing to take from.');
  return item;
}

function leaves(request: PreparedRequest, index: number): PreparedRequest {
  // Every third has sent half of its request when it goes.
  const bytes = index % 3 === 0 ? request.bytes.subarray(0, request.bytes.length / 2) : request.bytes;
  return { ...request, bytes, leaveAfterMs: STAYS_MS[index % STAYS_MS.length] ?? 0 };
}

/** Each is the client's fault, and to be told so. */
async function wrongRequests({ pixels }: KnownImage): Promise<PreparedRequest[]> {
  const png = await pngOf(pixels);
  const wrong: [status: number, path: string, headers: Record<string, string>, body: string | Uint8Array][] = [
    [400, '/predict', JSON_TYPE, '{"pixels": [[0, 1'],
    [422, '/predict', JSON_TYPE, JSON.stringify({ pixels: [[...pixels].fill(256)] })],
    [422, '/predict', JSON_TYPE, JSON.stringify({ pixels: [[1, 2, 3]] })],
    [422, '/predict', JSON_TYPE, '{}'],
    [415, '/predict', PNG_TYPE, 'no picture'],
    [422, '/predict', PNG_TYPE, png.subarray(0, png.length / 2)],
    [422, '/predict', PNG_TYPE, ''],
    [415, '/predict', { 'Content-Type': 'text/plain' }, 'hello'],
    [404, '/nowhere', JSON_TYPE, '{}'],
    [405, '/readyz', JSON_TYPE, '{}'],
    [400, '/v2/models/fashion-mlp/infer', JSON_TYPE, '{"inputs": []}'],
  ];
  return wrong.map(([status, path, headers, body]) => ({
    bytes: requestBytes(path, headers, body),
    expected: { statuses: [status] },
  }));
}
