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
