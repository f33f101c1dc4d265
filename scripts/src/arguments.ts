import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InvalidArgumentError } from '@commander-js/extra-typings';

/** Reads an option's whole number from `minimum` to `maximum`; anything else is wrong usage. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

/** Reads an option's positive number, such as 0.1 or 2. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('Expected a positive number.');
}

/** Reads an option's list with commas between, by `item` each; a value that comes twice is wrong usage. */
export function listOf<Item>(item: (text: string) => Item): (text: string) => Item[] {
  return (text) => {
    const items = text.split(',').map((part) => item(part.trim()));
    if (new Set(items).size < items.length) throw new InvalidArgumentError('Expected each value once.');
    return items;
  };
}

/** Reads the path of something that is to be read: it must be there. */
export function existingPath(path: string): string {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return path;
  throw new InvalidArgumentError('There is nothing of that name.');
}

/** Reads the path of a file to be written: its folder must be there, and no folder in its place. */
export function writablePath(path: string): string {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new InvalidArgumentError(`There is no folder ${folder}.`);
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new InvalidArgumentError(`The folder ${folder} cannot be written to.`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new InvalidArgumentError('It is a folder.');
  return path;
}

/** Sizes of a tensor by its name; null for one that stays open. */
export type Shapes = Readonly<Record<string, readonly (number | null)[]>>;

/** Reads NAME=SIZES, as in image=?,224,224,3, beside those that came before. `?` and -1 are sizes that stay open. */
export function namedShape(text: string, before: Shapes = {}): Shapes {
  const separator = text.lastIndexOf('=');
  const name = text.slice(0, Math.max(0, separator));
  const sizes = text.slice(separator + 1).split(',');
  if (name === '' || !sizes.every((size) => /^(\?|-1|[1-9]\d{0,8})$/.test(size.trim()))) {
    throw new InvalidArgumentError('Expected an input and its sizes, such as image=1,224,224,3 or image=?,224,224,3.');
  }
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`Expected input "${name}" once.`);
  return { ...before, [name]: sizes.map((size) => (/\d/.test(size) && size.trim() !== '-1' ? Number(size) : null)) };
}
