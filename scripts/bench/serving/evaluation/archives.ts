import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Examples } from '@atelier/fashion-mnist';
import type { Sample } from '../../benchmark.ts';
import type { RunningServer } from '../server-process.ts';
import { withDecodingLoop } from './decoding-loops.ts';
import { archiveBody } from './evaluations.ts';
import { measuredPass } from './measured-pass.ts';
import { medianOf, prefixed } from './samples.ts';
import { pictureArchive } from './test-images.ts';
import { PICTURE_KINDS } from './variant-names.ts';

const PASSES = 3;

/** Evaluations of images as PNG files in a ZIP archive, in turns with bare loops over the same archive. */
export async function archives(server: RunningServer, examples: Examples, isQuick: boolean): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'atelier-benchmark-'));
  try {
    return await withDecodingLoop(async (loop) => {
      const sample: Sample = {};
      for (const kind of PICTURE_KINDS) {
        const archive = await pictureArchive(examples, kind);
        const path = join(folder, `${kind}.zip`);
        await writeFile(path, archive);
        const body = archiveBody(archive);
        const turns = {
          service: () => measuredPass(server, body, examples.count),
          loop: () => loop(path, 'own', 1),
          twoLoops: () => loop(path, 'own', 2),
          sharpLoop: () => loop(path, 'sharp', 2),
        };
        const first = await inTurns(turns);
        if (!isQuick) await inTurns(turns); // from then on all of them are compiled
        const passes: Sample[] = [];
        while (passes.length < (isQuick ? 1 : PASSES)) passes.push(await inTurns(turns, passes.length % 2 === 1));
        const firstSeconds = first['service.seconds'] ?? NaN;
        Object.assign(sample, prefixed(kind, { firstSeconds, ...medianOf(passes) }));
      }
      return sample;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Each of them once, and the shares of what the first, the service, reaches in the others. */
async function inTurns(turns: Record<string, () => Promise<Sample>>, isBackwards = false): Promise<Sample> {
  const sample: Sample = {};
  const order = Object.entries(turns);
  for (const [name, turn] of isBackwards ? order.reverse() : order) Object.assign(sample, prefixed(name, await turn()));
  const perSecond = (name: string) => sample[`${name}.perSecond`] ?? NaN;
  for (const name of ['loop', 'twoLoops', 'sharpLoop']) {
    sample[`${name}.share`] = perSecond('service') / perSecond(name);
  }
  return sample;
}
