/** The ten Fashion-MNIST classes; the position is the class index (arXiv 1708.07747, table 2). */
export const CLASS_NAMES = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

export type ClassName = (typeof CLASS_NAMES)[number];

export const CLASS_COUNT = CLASS_NAMES.length;

/** The name of class `classIndex`, an integer 0 to 9; anything else is a `RangeError`. */
export function className(classIndex: number): ClassName {
  const name = CLASS_NAMES[classIndex];
  if (name === undefined) throw new RangeError(`Class index ${classIndex}; expected an integer from 0 to 9.`);
  return name;
}

/** Words that people write for a class beside its name. */
const OTHER_WORDS: Readonly<Record<string, number>> = { tshirt: 0, top: 0 };

const BY_WORD: ReadonlyMap<string, number> = new Map([
  ...CLASS_NAMES.map((name, index) => [lettersOf(name), index] as const),
  ...Object.entries(OTHER_WORDS),
]);

/**
 * The class that a text names: by its name, whatever the case and whatever stands between its words ("Ankle boot",
 * "ankle-boot", "ANKLE_BOOT"), or by its index ("9"). Undefined for any other text.
 */
export function classIndexOf(text: string): number | undefined {
  const word = text.trim();
  if (/^\d$/.test(word)) return Number(word);
  return BY_WORD.get(lettersOf(word));
}

function lettersOf(text: string): string {
  return text.toLowerCase().replaceAll(/[\s_/.-]+/g, '');
}
