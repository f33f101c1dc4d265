import { CLASS_COUNT, DomainError, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { EngineTrial } from './load-model.ts';

/**
 * A model with the inputs, outputs and operators of a published graph, and zeros for weights: what cannot compute it can
 * compute no version. test/unit/inference/devices.test.ts builds it anew and compares.
 */
export const PROBE_MODEL: Uint8Array = Buffer.from(
  'CAg68wIKKgoFc2hhcGUSB3dlaWdodHMaB3dlaWdodHMiD0NvbnN0YW50T2ZTaGFwZQooCgVpbWFnZRIGcGl4ZWxzGgZwaXhlbHMiBENhc3QqCQoC' +
    'dG8YAaABAgooCgZwaXhlbHMSA3JvdxoDcm93IgdGbGF0dGVuKgsKBGF4aXMYAaABAgomCgNyb3cKB3dlaWdodHMSBmxvZ2l0cxoGbG9naXRzIgZN' +
    'YXRNdWwKPAoGbG9naXRzEg1wcm9iYWJpbGl0aWVzGg1wcm9iYWJpbGl0aWVzIgdTb2Z0bWF4KgsKBGF4aXMYAaABAhIFcHJvYmUqHQgCEAdCBXNo' +
    'YXBlShAQAwAAAAAAAAoAAAAAAAAAWiAKBWltYWdlEhcKFQgCEhEKBxIFYmF0Y2gKAggcCgIIHGIdCgZsb2dpdHMSEwoRCAESDQoHEgViYXRjaAoC' +
    'CApiJAoNcHJvYmFiaWxpdGllcxITChEIARINCgcSBWJhdGNoCgIICkICEBE=',
  'base64',
);

/** What it is asked for. */
export const PROBE_OUTPUTS = [{ name: 'probabilities', width: CLASS_COUNT }] as const;

/** Ten equal probabilities: far from any rounding, and from memory that nobody wrote. */
const EXPECTED = 0.1;
const TOLERANCE = 1e-3;

/** Lets a device compute an image; rejects with `device-unavailable` where it gives other numbers than it must. */
export async function checkProbe(trial: EngineTrial): Promise<void> {
  const probabilities = await trial.run(new Uint8Array(PIXELS_PER_IMAGE), 1);
  if (probabilities.every((probability) => Math.abs(probability - EXPECTED) < TOLERANCE)) return;
  throw new DomainError('device-unavailable', `it computes ${probabilities.join(', ')} where ${EXPECTED} is right`);
}
