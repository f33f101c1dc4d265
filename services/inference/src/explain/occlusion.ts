import { IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE } from '@atelier/domain';

/**
 * The edge of a patch and the step between two, in pixels. Of the sizes that were tried on 200 test images (1 to 7 pixels),
 * the smaller the patch, the better its map finds the pixels that a decision rests on; this one needs 169 rows at most,
 * three batches, where single pixels need 784. With a step of half a patch inner pixels are under four of them.
 */
export const PATCH = 4;
const STRIDE = 2;

/** Rows and columns in which a patch can begin. */
const STARTS = Array.from({ length: Math.floor((IMAGE_HEIGHT - PATCH) / STRIDE) + 1 }, (_, index) => index * STRIDE);
const CORNERS = STARTS.flatMap((top) => STARTS.map((left) => top * IMAGE_WIDTH + left));

export interface OccludedCopies {
  /** [count, 28, 28]: the image with one patch as background. Patches that are background already are left out. */
  copies: Uint8Array;
  /** The place of each patch's first pixel. */
  corners: number[];
}

/** The copies that occlusion compares an image [28, 28] with; none of an image without a pixel above 0. */
export function occludedCopies(image: Uint8Array): OccludedCopies {
  const corners = CORNERS.filter((corner) => patchAt(corner).some((place) => image[place] !== 0));
  const copies = new Uint8Array(corners.length * PIXELS_PER_IMAGE);
  for (const [row, corner] of corners.entries()) {
    const copy = copies.subarray(row * PIXELS_PER_IMAGE, (row + 1) * PIXELS_PER_IMAGE);
    copy.set(image);
    for (const place of patchAt(corner)) copy[place] = 0;
  }
  return { copies, corners };
}

/** [28, 28]: for each pixel the mean of `drops` over all patches that lie on it, of which those without a drop count as 0. */
export function occlusionMap(corners: readonly number[], drops: readonly number[]): Float32Array {
  const sums = new Float64Array(PIXELS_PER_IMAGE);
  for (const [index, corner] of corners.entries()) {
    for (const place of patchAt(corner)) sums[place] = (sums[place] ?? 0) + (drops[index] ?? 0);
  }
  return Float32Array.from(sums, (sum, place) => sum / (COVERAGE[place] ?? 1));
}

/** How many patches lie on each pixel. */
const COVERAGE = new Uint8Array(PIXELS_PER_IMAGE);
for (const corner of CORNERS) for (const place of patchAt(corner)) COVERAGE[place] = (COVERAGE[place] ?? 0) + 1;

function patchAt(corner: number): number[] {
  return Array.from(
    { length: PATCH ** 2 },
    (_, index) => corner + Math.floor(index / PATCH) * IMAGE_WIDTH + (index % PATCH),
  );
}
