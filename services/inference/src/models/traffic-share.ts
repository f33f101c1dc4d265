/**
 * Where an id falls, from 0 up to 1: the same id always on the same place, ids evenly, also those that count up. FNV-1a
 * (draft-eastlake-fnv) over the UTF-16 units, then MurmurHash3's finalizer, because FNV alone leaves the high bits of short
 * texts alike.
 */
export function placeOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Whether a request belongs to `percent` of them; one that belongs to 5 percent belongs to 10 as well. */
export function belongsTo(percent: number, id: string | undefined): boolean {
  return id !== undefined && percent > 0 && placeOf(id) * 100 < percent;
}
