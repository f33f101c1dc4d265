import { SampleOptions, type Variants } from './benchmark.ts';

/** The main function of a benchmark's script: measures the variant named by the first word and prints the sample. */
export async function measureVariant(variants: Variants, [name = '', options = '']: readonly string[]): Promise<void> {
  const variant = variants[name];
  if (variant === undefined)
    throw new RangeError(`No variant "${name}"; there is: ${Object.keys(variants).join(', ')}.`);
  const sample = await variant(SampleOptions.parse(JSON.parse(options)));
  process.stdout.write(`${JSON.stringify(sample)}\n`);
}
