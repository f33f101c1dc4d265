// Decodes pictures without a server: as many at a time as it is told, on all the threads that decoding has.
import { once } from 'node:events';
import { createFilesDecoder } from '@atelier/inference';

export interface DecodingTask {
  files: readonly Uint8Array[];
  /** Pictures that are in work at a time. */
  atATime: number;
  seconds: number;
}

export interface DecodingResult {
  perSecond: number;
  cpuSecondsPerPicture: number;
}

const MAXIMUM_PIXELS = 40_000_000;
const WARM_UP_MS = 1_000;

const [task] = (await once(process, 'message')) as [DecodingTask];
const files = task.files.map((file) => Buffer.from(file));
const decode = createFilesDecoder(MAXIMUM_PIXELS);

async function decodeFor(milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let count = 0;
  const loop = async () => {
    while (performance.now() < end) await decode([{ bytes: files[count++ % files.length] as Buffer }]);
  };
  await Promise.all(Array.from({ length: task.atATime }, loop));
  return count;
}

await decodeFor(WARM_UP_MS);
const cpu = process.cpuUsage();
const started = performance.now();
const count = await decodeFor(1000 * task.seconds);
const { user, system } = process.cpuUsage(cpu);
const result: DecodingResult = {
  perSecond: (1000 * count) / (performance.now() - started),
  cpuSecondsPerPicture: (user + system) / 1e6 / count,
};
process.send?.(result, () => process.exit(0));
