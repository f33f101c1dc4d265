import { DomainError, rangeInWords } from '@atelier/domain';
import { z } from 'zod';

/** What a settings schema says of each field beside its type, by `.meta()`, which must come last. */
export interface SettingMeta {
  /** The environment variable. */
  variable: string;
  description: string;
  /** The value is told to nobody, not even where it is wrong. Default: false. */
  secret?: boolean;
}

/** A setting that is a whole number from `minimum` to `maximum`. */
export function wholeNumber(minimum: number, maximum: number) {
  const expected = `expected a whole number ${rangeInWords({ from: minimum, to: maximum })}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .pipe(z.number().min(minimum, expected).max(maximum, expected));
}

/**
 * Reads a service's settings: each field from the variable that its meta names, the default where that is unset or
 * empty. `invalid-configuration` reports every fault together. The result is frozen.
 */
export function readSettings<S extends z.ZodObject>(
  schema: S,
  environment: Record<string, string | undefined>,
): Readonly<z.infer<S>> {
  const settings = settingsOf(schema);
  const source = Object.fromEntries(
    settings.map(({ field, variable }) => {
      const value = environment[variable];
      return [field, value === '' ? undefined : value];
    }),
  );
  const parsed = schema.safeParse(source);
  if (parsed.success) return Object.freeze(parsed.data);
  const faults = parsed.error.issues.map(({ path, message }) => {
    const { variable = String(path[0]), secret = false } = settings.find(({ field }) => field === path[0]) ?? {};
    return secret ? `${variable}: ${message}` : `${variable}=${environment[variable] ?? ''}: ${message}`;
  });
  throw new DomainError('invalid-configuration', `The configuration is not valid: ${faults.join('; ')}`);
}

/** The fields of a settings schema with what their meta says, for documentation and for reading. */
export function settingsOf(schema: z.ZodObject): (Required<SettingMeta> & { field: string })[] {
  return Object.entries(schema.shape).map(([field, type]) => {
    const { variable, description, secret } = (type as z.ZodType).meta() ?? {};
    if (typeof variable !== 'string' || typeof description !== 'string') {
      throw new TypeError(`Setting "${field}" lacks its variable or its description; .meta() must come last.`);
    }
    return { field, variable, description, secret: secret === true };
  });
}
