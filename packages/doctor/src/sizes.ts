const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** 1.5 GiB, or 300 MiB. */
export function sizeInWords(bytes: number): string {
  if (bytes >= GIBIBYTE) return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
  return `${Math.round(bytes / MEBIBYTE)} MiB`;
}
