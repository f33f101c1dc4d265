import { compiledEntries } from '@atelier/compiled-entries';

/** Packages that stay outside of bundles: native, with files of their own, or seldom needed. */
export const OUTSIDE =
  /^(onnxruntime-node|webgpu|sharp|canvas|esbuild|swagger-ui-dist|vega|vega-lite|@tensorflow\/.*|@resvg\/.*|@expo-google-fonts\/.*)$/;

const PROGRAMS = {
  commands: 'main',
  inference: '../../services/inference/src/main',
  trainer: '../../services/trainer/src/main',
  worker: '../../services/trainer/src/worker',
} as const;
export type ProgramName = keyof typeof PROGRAMS;

const ENTRIES = {
  label: 'atelier',
  beside: import.meta.url,
  names: Object.values(PROGRAMS),
  external: OUTSIDE,
} as const;

/** The path of the command line, or of a service that it starts, as JavaScript. */
export async function program(name: ProgramName): Promise<string> {
  return (await compiledEntries(ENTRIES))[PROGRAMS[name]];
}
