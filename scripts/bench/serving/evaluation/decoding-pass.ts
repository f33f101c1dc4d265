// The bare decoding loop: reads the entries of an archive, decodes each into pixels, and does nothing else. A pass for each
// message, so that it is as warm as the service that it is compared with.
import { tmpdir } from 'node:os';
import { usableCores } from '@atelier/doctor';
import {
  BulkTurns,
  DEFAULT_IMAGE_OPTIONS,
  type LabelledSet,
  loadPackedDecoder,
  OnlineTraffic,
  openSetAt,
  type PackedFile,
  readConfig,
  Scratch,
  unpack,
} from '@atelier/inference';
import sharp from 'sharp';

/** `own`: that of the service's evaluations. `sharp`: what one writes by hand. */
export type LoopDecoder = 'own' | 'sharp';

/** A process takes every `of`-th file, from the one at `index` on. */
export interface DecodingPass {
  archive: string;
  decoder: LoopDecoder;
  index: number;
  of: number;
}

export interface DecodingPassResult {
  pictures: number;
  seconds: number;
  /** Of this process, user and system. */
  cpuSeconds: number;
}

/** Files asked for before those before them are done: enough that the decoder never waits. */
const IN_WORK = 8;

const config = readConfig({});
const opening = {
  limits: config,
  scratch: new Scratch(tmpdir(), config),
  turns: new BulkTurns(new OnlineTraffic()),
  signal: new AbortController().signal,
};
const decodePacked = await loadPackedDecoder(usableCores());

const DECODERS: Record<LoopDecoder, (file: PackedFile) => Promise<unknown>> = {
  own: (file) => decodePacked(file, config.maximumPixels, DEFAULT_IMAGE_OPTIONS),
  sharp: (file) => sharp(unpack(file)).toColourspace('b-w').raw().toBuffer(),
};

process.on('message', (pass: DecodingPass) => {
  void decodeAll(pass).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));

async function decodeAll({ archive, decoder, index, of }: DecodingPass): Promise<DecodingPassResult> {
  const decode = DECODERS[decoder];
  const cpu = process.cpuUsage();
  const started = performance.now();
  const set = await openSetAt(archive, opening);
  const files = everyNth(set, index, of);
  let pictures = 0;
  const work = async () => {
    for await (const file of files) {
      await decode(file);
      pictures++;
    }
  };
  await Promise.all(Array.from({ length: IN_WORK }, work));
  await set.close();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { pictures, seconds, cpuSeconds: (user + system) / 1e6 };
}

async function* everyNth(set: LabelledSet, index: number, of: number): AsyncGenerator<PackedFile, void, undefined> {
  let place = 0;
  for await (const part of set.parts()) {
    if (part.kind !== 'files') throw new Error(`Expected files in the archive; came ${part.kind}.`);
    for (const one of part.files) if ('file' in one && place++ % of === index) yield one.file;
  }
}
