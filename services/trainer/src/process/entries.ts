import { compiledEntries } from '@atelier/compiled-entries';

export const ENTRIES = {
  label: 'training',
  beside: import.meta.url,
  names: ['training-child', 'errand-child'],
  external: /^(onnxruntime-node|webgpu|sharp|canvas|@tensorflow\/.*|@resvg\/.*)$/,
} as const;

/** The paths of what the trainer's processes are started with. */
export function processEntries(): Promise<Readonly<Record<(typeof ENTRIES.names)[number], string>>> {
  return compiledEntries(ENTRIES);
}
