import { Recipe } from '@atelier/domain';
import { InvalidRequest, jsonPointer } from '@atelier/http';
import type { z } from 'zod';
import { NoSuchField, type Place, placesOf, stepsOf, withValue } from './recipe-pointer.ts';
import type { Dimension, JsonValue, SearchSpace } from './space.ts';

/** A fault of a space: where in the body of a request, and what. */
export interface SpaceFault {
  pointer: string;
  detail: string;
}

/** Fields that every trial has in common, and why. */
const FIXED: Readonly<Record<string, string>> = {
  epochs: 'trials of different length cannot be compared, and the search decides how long each is trained',
  seed: 'trials would differ by luck; the recipe keeps its own',
  validationShare: 'trials would be measured on different images',
  name: 'it decides nothing about the model',
  description: 'it decides nothing about the model',
};

/** Strictly between two ends, and no integer where they are: the golden section. */
const INSIDE = (Math.sqrt(5) - 1) / 2;

/**
 * Throws `invalid-request` with every fault of a space for this recipe, before anything runs: pointers that name no field,
 * or one that may not differ between trials, or one that another dimension sets too; choices and bounds that the field
 * does not take.
 */
export function checkSpace(recipe: Recipe, space: SearchSpace): void {
  const pointers = Object.keys(space);
  const faults = Object.entries(space).flatMap(([pointer, dimension], index) => {
    const whole = faultOfPointer(recipe, pointer, pointers.slice(0, index));
    if (whole !== null) return [{ pointer: pointerInto(pointer), detail: whole }];
    return faultsOfValues(recipe, pointer, dimension);
  });
  if (faults.length > 0) throw new InvalidRequest('The space does not fit the recipe.', faults);
}

/** `/space/~1optimizer~1learningRate/maximum`: a place in the space as the body of a request has it. */
export function pointerInto(pointer: string, ...steps: readonly string[]): string {
  return jsonPointer(['space', pointer, ...steps]);
}

/** Issues in one line; the path is left out where it is the place itself. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], places: readonly Place[] = []): string {
  const own = new Set(places.map((place) => place.join('.')));
  const lines = issues.map(({ path, message }) =>
    own.has(path.join('.')) ? message : `${path.join('.')}: ${message}`,
  );
  return [...new Set(lines)].join('; ');
}

function faultOfPointer(recipe: Recipe, pointer: string, earlier: readonly string[]): string | null {
  const reason = FIXED[stepsOf(pointer)[0] ?? ''];
  if (reason !== undefined) return `cannot be searched: ${reason}`;
  const other = earlier.find((each) => overlap(stepsOf(each), stepsOf(pointer)));
  if (other !== undefined) return `sets the same field as ${other}, or a part of it; expected one of the two`;
  try {
    placesOf(recipe, pointer);
    return null;
  } catch (error) {
    if (error instanceof NoSuchField) return error.message;
    throw error;
  }
}

/** Whether two pointers name the same place, or one lies within the other. */
function overlap(one: readonly string[], other: readonly string[]): boolean {
  const common = Math.min(one.length, other.length);
  return one.slice(0, common).every((step, index) => step === other[index] || [step, other[index]].includes('*'));
}

function faultsOfValues(recipe: Recipe, pointer: string, dimension: Dimension): SpaceFault[] {
  const places = placesOf(recipe, pointer);
  const faults = (steps: readonly string[], value: JsonValue): SpaceFault[] => {
    const { error } = Recipe.safeParse(withValue(recipe, pointer, value));
    return error ? [{ pointer: pointerInto(pointer, ...steps), detail: describeIssues(error.issues, places) }] : [];
  };
  if (dimension.kind === 'choice') {
    return dimension.values.flatMap((value, index) => faults(['values', String(index)], value));
  }
  const { kind, minimum, maximum } = dimension;
  const ends = [...faults(['minimum'], minimum), ...faults(['maximum'], maximum)];
  if (ends.length > 0 || kind === 'integer') return ends;
  // Ends of 1 and 8 are integers; what is drawn between them is none.
  return faults([], minimum + INSIDE * (maximum - minimum));
}
