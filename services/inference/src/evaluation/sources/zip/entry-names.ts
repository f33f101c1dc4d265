import type { SkippedEntry } from '../labelled-set.ts';

/** Longer ones are nobody's pictures; a million of them would be a gigabyte of names. */
export const MAXIMUM_NAME_BYTES = 1_024;

/** Of a name in a message. */
const SHOWN_CHARACTERS = 100;

const NESTED = /\.(zip|jar|7z|rar|tar|tgz|gz|bz2|xz|zst)$/i;

/** What systems put beside files: resource forks, folder settings, thumbnails. */
const JUNK = /(^|\/)(__MACOSX\/|\.DS_Store$|\._[^/]*$|Thumbs\.db$|desktop\.ini$)/i;

/** The name without what says nothing: `./` and doubled slashes. */
export function plainName(name: string): string {
  return name
    .split('/')
    .filter((part, index) => part !== '.' && (part !== '' || index === 0))
    .join('/');
}

/** Why nothing may be done with a name; undefined where it names a file inside of the archive. */
export function unsafeReason(name: string): string | undefined {
  if (name === '') return 'it has no name';
  // eslint-disable-next-line no-control-regex -- the very characters that are looked for
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'its name has a control character';
  if (name.includes('\\')) return 'its name has a backslash; expected slashes between folders';
  if (name.startsWith('/')) return 'its name is an absolute path';
  if (/^[A-Za-z]:/.test(name)) return 'its name begins with a drive letter';
  if (name.split('/').includes('..')) return 'its name leads out of the archive';
  return undefined;
}

export function isJunk(name: string): boolean {
  return JUNK.test(name);
}

export function isNestedArchive(name: string): boolean {
  return NESTED.test(name);
}

/** A name as it can be shown: without control characters, and not too long. */
export function shownName(name: string): string {
  // eslint-disable-next-line no-control-regex -- the very characters that are replaced
  const plain = name.replaceAll(/[\u0000-\u001f\u007f]/g, '\ufffd');
  return plain.length > SHOWN_CHARACTERS ? `${plain.slice(0, SHOWN_CHARACTERS)}…` : plain;
}

export function skipped(name: string, code: SkippedEntry['code'], message: string): SkippedEntry {
  return { name: shownName(name), code, message };
}
