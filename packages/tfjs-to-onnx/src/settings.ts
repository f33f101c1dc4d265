import { malformed } from './errors.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(source: unknown): source is JsonObject {
  return typeof source === 'object' && source !== null && !Array.isArray(source);
}

/** `source` as an object; anything else is `malformed-tfjs-model`, where `place` begins the sentence. */
export function expectObject(source: unknown, place: string): JsonObject {
  if (isObject(source)) return source;
  throw malformed(`${place} is ${shown(source)}; expected an object.`);
}

export function expectArray(source: unknown, place: string): readonly unknown[] {
  if (Array.isArray(source)) return source;
  throw malformed(`${place} is ${shown(source)}; expected a list.`);
}

export function expectString(source: unknown, place: string): string {
  if (typeof source === 'string' && source !== '') return source;
  throw malformed(`${place} is ${shown(source)}; expected text.`);
}

/** Lists, as Keras writes those that it wraps. */
const LIST_CLASSES = ['ListWrapper', 'TensorShape', '__tuple__'];

/**
 * What `source` has at `key`, or at the same key in camel case: TensorFlow.js reads both, and files that were mended by hand
 * have some. A wrapped list is given as a list.
 */
export function entryOf(source: JsonObject, key: string): unknown {
  return unwrapped(source[key] ?? source[camelCase(key)]);
}

function unwrapped(source: unknown): unknown {
  if (!isObject(source) || !Array.isArray(source['items'])) return source;
  return LIST_CLASSES.includes(String(source['class_name'])) ? source['items'].map(unwrapped) : source;
}

/**
 * The `config` of one layer. Null counts as absent, as in Keras. A setting of another kind than the one asked for, or an
 * absent one without a `fallback`, is `malformed-tfjs-model`.
 */
export class Settings {
  readonly #owner: string;
  readonly #source: JsonObject;

  constructor(owner: string, source: JsonObject) {
    this.#owner = owner;
    this.#source = source;
  }

  get(key: string): unknown {
    return entryOf(this.#source, key) ?? undefined;
  }

  /** Whether both say the same, apart from a few keys. */
  equals(others: Settings, apartFrom: readonly string[]): boolean {
    const [own, other] = [this.#source, others.#source].map((source) =>
      Object.entries(source)
        .filter(([key, setting]) => !apartFrom.includes(key) && setting !== null)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    return JSON.stringify(own) === JSON.stringify(other);
  }

  /** Whether the file has null there, for the few settings where that means something. */
  isNull(key: string): boolean {
    return this.#source[key] === null;
  }

  /** These settings with others added. */
  with(others: JsonObject): Settings {
    return new Settings(this.#owner, { ...this.#source, ...others });
  }

  /** One of a few words; camel case and capitals count as snake case, as TensorFlow.js itself reads and writes both. */
  choice<const Word extends string>(key: string, words: readonly Word[], fallback: Word): Word {
    const found = this.get(key) ?? fallback;
    const plain = typeof found === 'string' ? snakeCase(found) : found;
    const word = words.find((each) => each === plain);
    if (word !== undefined) return word;
    throw this.#wrong(key, words.join(' or '));
  }

  /** Whole numbers of `least` or more, one for each of `count` axes: a list of them, or one for all. */
  wholeNumbers(key: string, count: number, fallback: number | readonly number[], least = 1): number[] {
    const found = this.get(key) ?? fallback;
    const list: unknown[] = Array.isArray(found) ? found : new Array<unknown>(count).fill(found);
    const isWhole = (each: unknown) => Number.isSafeInteger(each) && (each as number) >= least;
    if (list.length === count && list.every(isWhole)) return list as number[];
    throw this.#wrong(key, `${count === 1 ? 'a whole number' : `${count} whole numbers`} of ${least} or more`);
  }

  wholeNumber(key: string, fallback?: number, least = 1): number {
    const [found] = this.wholeNumbers(key, 1, fallback ?? NaN, least);
    return found ?? NaN;
  }

  number(key: string, fallback?: number): number {
    const found = this.get(key) ?? fallback;
    if (typeof found === 'number' && Number.isFinite(found)) return found;
    throw this.#wrong(key, 'a number');
  }

  boolean(key: string, fallback: boolean): boolean {
    const found = this.get(key) ?? fallback;
    if (typeof found === 'boolean') return found;
    throw this.#wrong(key, 'true or false');
  }

  text(key: string, fallback?: string): string {
    const found = this.get(key) ?? fallback;
    if (typeof found === 'string') return found;
    throw this.#wrong(key, 'text');
  }

  /** Sizes; null where the file has null or -1, which both mean that the size is open. */
  sizes(key: string): (number | null)[] {
    const found = this.get(key);
    const isSize = (size: unknown) => size === null || (Number.isSafeInteger(size) && (size as number) >= -1);
    if (!Array.isArray(found) || !found.every(isSize)) throw this.#wrong(key, 'a list of sizes');
    return (found as (number | null)[]).map((size) => (size === -1 ? null : size));
  }

  /**
   * One axis of a tensor of `rank`, from 0: a whole number, negative from the end, or a list of one such number. Undefined
   * for a list of several.
   */
  axis(key: string, fallback: number, rank: number): number | undefined {
    const found = this.get(key) ?? fallback;
    if (Array.isArray(found) && found.length > 1) return undefined;
    const axis: unknown = Array.isArray(found) ? found[0] : found;
    if (Number.isInteger(axis)) {
      const counted = (axis as number) < 0 ? (axis as number) + rank : (axis as number);
      if (counted >= 0 && counted < rank) return counted;
    }
    throw this.#wrong(key, `an axis of an input of rank ${rank}`);
  }

  /** The axes of a tensor of `rank`, from 0 and each once: one number, or a list of them, negative ones from the end. */
  axes(key: string, fallback: number, rank: number): number[] {
    const found = this.get(key) ?? fallback;
    const counted = (Array.isArray(found) ? (found as unknown[]) : [found]).map((axis) =>
      Number.isInteger(axis) && (axis as number) < 0 ? (axis as number) + rank : (axis as number),
    );
    const isThere = counted.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < rank);
    if (isThere && counted.length > 0 && new Set(counted).size === counted.length) return counted;
    throw this.#wrong(key, `axes of an input of rank ${rank}, each once`);
  }

  #wrong(key: string, expected: string) {
    return malformed(`${this.#owner} has ${key} ${shown(this.get(key))}; expected ${expected}.`);
  }
}

/** `relu6`, `hard_sigmoid`, `channels_last`, however they are written. */
export function snakeCase(word: string): string {
  return word.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

function camelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The lists of an array as Keras 3 writes those of numpy; anything else as it is. */
export function plainArray(source: unknown): unknown {
  const isArray = isObject(source) && source['class_name'] === '__numpy__' && isObject(source['config']);
  return isArray ? (source['config'] as JsonObject)['value'] : source;
}

/** A value as a message shows it: short. */
export function shown(source: unknown): string {
  const text = source === undefined ? 'missing' : JSON.stringify(source);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
