import { compiledEntries } from '@atelier/compiled-entries';

/** Packages that stay outside of bundles: native, with files of their own, or seldom needed. */
export const OUTSIDE =
  /^(onnxruntime-node|webgpu|sharp|canvas|esbuild|swagger-ui-dist|vega|vega-lite|@tensorflow\/.*|@resvg\/.*|@expo-google-fonts\/.*)$/;

const ENTRIES = {
  label: 'atelier',
  beside: import.meta.url,
  names: [
    'main',
    '../../services/inference/src/main',
    '../../services/trainer/src/main',
    '../../services/trainer/src/worker',
  ],
  external: OUTSIDE,
} as const;
export type ProgramName = (typeof ENTRIES.names)[number];

/** The path of the command line, or of a service that it starts, as JavaScript. */
export async function program(name: ProgramName): Promise<string> {
  return (await compiledEntries(ENTRIES))[name];
}
