import { compiledEntries } from '@atelier/compiled-entries';

/** onnxruntime is no package of theirs: they are told its URL. */
export const ENTRIES = {
  label: 'compute',
  beside: import.meta.url,
  names: ['compute-main', 'engine-thread', 'bulk-main', 'decoders-main'],
  external: /^(sharp|vega|vega-lite)$/,
} as const;

/** The paths of what the processes and threads that compute are started with. */
export function computeEntries(): Promise<Readonly<Record<(typeof ENTRIES.names)[number], string>>> {
  return compiledEntries(ENTRIES);
}
