/** In characters. An archive's entry may have a name of 64 kB, and a report names many. */
const LONGEST_NAME = 511;

/**
 * A text with its middle left out where it is very long: in a name, folders stand at the beginning, and what tells files
 * apart at the end.
 */
export function shortenedName(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const characters = [...name]; // a cut must not go through a pair of surrogates
  const half = (LONGEST_NAME - 1) / 2;
  if (characters.length <= LONGEST_NAME) return name;
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}
