import { classIndexOf } from '@atelier/domain';

/**
 * The class of a file by its folder, which may lie in others: its name, its slug or its index. The first class has a slash in
 * its name, so that its folder may be two. Undefined where the folder names no class.
 */
export function classOfFolder(path: string): number | undefined {
  const folders = path.split('/').slice(0, -1);
  const last = folders.at(-1);
  if (last === undefined) return undefined;
  const lastTwo = folders.slice(-2).join('/');
  return classIndexOf(lastTwo) ?? classIndexOf(last);
}

/** The file that says the classes of others, in any folder. */
const LABELS_FILE = /^\/?labels\.csv$/i;

/** Of `files` the one with labels that lies highest, and of those the first. */
export function labelsFileAmong<File extends { name: string }>(files: Iterable<File>): File | undefined {
  let highest: { file: File; depth: number } | undefined;
  for (const file of files) {
    if (!LABELS_FILE.test(file.name.slice(-'/labels.csv'.length))) continue;
    const depth = file.name.split('/').length;
    if (highest === undefined || depth < highest.depth) highest = { file, depth };
  }
  return highest?.file;
}
