import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface ImageFile {
  /** From the root of the image, with a slash before it. */
  path: string;
  isFolder: boolean;
  isLink: boolean;
  /** The twelve bits of rights. */
  mode: number;
  owner: number;
  group: number;
  bytes: number;
}

/** Everything in a tree, without what a runtime puts its own things over. */
export function filesOf(root: string): ImageFile[] {
  const visit = (path: string): ImageFile[] => {
    const stat = lstatSync(join(root, path));
    const isFolder = stat.isDirectory();
    const file: ImageFile = {
      path,
      isFolder,
      isLink: stat.isSymbolicLink(),
      mode: stat.mode & 0o7777,
      owner: stat.uid,
      group: stat.gid,
      bytes: stat.isFile() ? stat.size : 0,
    };
    return [file, ...(isFolder ? readdirSync(join(root, path)).flatMap((name) => visit(`${path}/${name}`)) : [])];
  };
  return readdirSync(root)
    .filter((name) => !['proc', 'sys', 'dev'].includes(name))
    .flatMap((name) => visit(`/${name}`));
}

/** Whether a user and group may write to it, or to the folder. */
export function isWritableBy(id: number, { mode, owner, group, isLink }: ImageFile): boolean {
  if (isLink) return false;
  return (mode & 0o002) !== 0 || (group === id && (mode & 0o020) !== 0) || owner === id;
}

/** The files with one of some words in them, as their paths. */
export function filesWith(words: readonly string[], root: string, files: readonly ImageFile[]): string[] {
  const sought = words.map((word) => Buffer.from(word));
  return files
    .filter(({ isFolder, isLink, bytes }) => !isFolder && !isLink && bytes > 0)
    .filter(({ path }) => {
      const contents = readFileSync(join(root, path));
      return sought.some((word) => contents.includes(word));
    })
    .map(({ path }) => path);
}
