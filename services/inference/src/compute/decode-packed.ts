import type { ImageOptions } from '../contract/image.ts';
import { type PackedFile, unpack } from '../evaluation/sources/packed-file.ts';
import type { DecodedFile } from '../image/decode.ts';
import { decodeFile, type PictureDecoder, restrictDecoders } from '../image/decode-file.ts';
import { decodePicture } from '../image/decode-picture.ts';
import { DecodeSlots } from '../image/decode-slots.ts';
import { plainPng } from '../image/plain-png.ts';

/** Files in work for each that is decoded at a time: part of the work on small ones is none of the decoder's. */
const FILES_PER_DECODER = 2;

/**
 * Unpacks a file of a labelled set and decodes it, as a request of its own that may have `maximumPixels`. Rejects as `unpack`
 * and `decodeFile` do.
 */
export type PackedDecoder = (packed: PackedFile, maximumPixels: number, options: ImageOptions) => Promise<DecodedFile>;

/** Sets the decoders of this process up, for `decoders` pictures at a time; more files wait. */
export function packedDecoder(decoders: number): PackedDecoder {
  restrictDecoders();
  const large = new DecodeSlots(decoders);
  const files = new DecodeSlots(FILES_PER_DECODER * decoders);
  return (packed, maximumPixels, options) =>
    files.run(async () => decodeFile(unpack(packed), { maximumPixels, countedPixels: 0 }, options, large, quickly));
}

/** Most of what is evaluated is small and plain. */
const quickly: PictureDecoder = async (file, header, maximumPixels) =>
  plainPng(file) ?? decodePicture(file, header, maximumPixels);
