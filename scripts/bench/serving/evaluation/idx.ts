import type { Examples } from '@atelier/fashion-mnist';
import type { Sample } from '../../benchmark.ts';
import type { RunningServer } from '../server-process.ts';
import { idxBody } from './evaluations.ts';
import { measuredPass } from './measured-pass.ts';
import { medianOf } from './samples.ts';
import { idxFiles } from './test-images.ts';

const PASSES = 5;

/** Evaluations of images as IDX, one after the other. */
export async function idx(server: RunningServer, examples: Examples, isQuick: boolean): Promise<Sample> {
  const body = await idxBody(idxFiles(examples));
  const first = await measuredPass(server, body, examples.count);
  const passes: Sample[] = [];
  while (passes.length < (isQuick ? 1 : PASSES)) passes.push(await measuredPass(server, body, examples.count));
  return { firstSeconds: first['seconds'] ?? NaN, ...medianOf(passes) };
}
