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
