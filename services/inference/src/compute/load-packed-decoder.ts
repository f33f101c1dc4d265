import type { PackedDecoder } from './decode-packed.ts';

/** The decoder of evaluations, in this process, whose libraries are loaded for it; a service leaves both to its bulk process. */
export async function loadPackedDecoder(decoders: number): Promise<PackedDecoder> {
  const { packedDecoder } = await import('./decode-packed.ts');
  return packedDecoder(decoders);
}
