// Measures evaluations, and predictions beside them and with explanations, each in a process and with a service of its own.
import type { Sample, SampleOptions, Variants } from '../../benchmark.ts';
import { measureVariant } from '../../measure-variant.ts';
import { service } from '../programs.ts';
import { withServer } from '../server-process.ts';
import { archives } from './archives.ts';
import { explain } from './explain.ts';
import { idx } from './idx.ts';
import { online } from './online.ts';
import { prefixed } from './samples.ts';
import { testImages } from './test-images.ts';
import { REQUESTS, SETS, type VariantName } from './variant-names.ts';

async function sets(options: SampleOptions): Promise<Sample> {
  const examples = await testImages(options);
  return withServer(service(options.modelsDirectory), async (server) => ({
    ...prefixed('idx', await idx(server, examples, options.isQuick)),
    ...(await archives(server, examples, options.isQuick)),
  }));
}

async function requests(options: SampleOptions): Promise<Sample> {
  const examples = await testImages(options);
  return withServer(service(options.modelsDirectory), async (server) => ({
    ...(await explain(server, examples, options.isQuick)),
    ...(await online(server, examples, options)),
  }));
}

const VARIANTS: Record<VariantName, Variants[string]> = { [SETS]: sets, [REQUESTS]: requests };

await measureVariant(VARIANTS, process.argv.slice(2));
