import type { Sample, SampleOptions } from '../../benchmark.ts';
import { service } from '../programs.ts';
import { withServer } from '../server-process.ts';
import { idxBody } from './evaluations.ts';
import { measuredPass } from './measured-pass.ts';
import { medianOf } from './samples.ts';
import { idxFiles, testImages } from './test-images.ts';

const PASSES = 5;

/** Evaluations of the test images as IDX, one after the other. */
export async function idx(options: SampleOptions): Promise<Sample> {
  const examples = await testImages(options);
  const body = await idxBody(idxFiles(examples));
  return withServer(service(options.modelsDirectory), async (server) => {
    const first = await measuredPass(server, body, examples.count);
    const passes: Sample[] = [];
    while (passes.length < (options.isQuick ? 1 : PASSES)) {
      passes.push(await measuredPass(server, body, examples.count));
    }
    return { firstSeconds: first['seconds'] ?? NaN, ...medianOf(passes) };
  });
}
