import { DomainError } from '@atelier/domain';
import type { EngineFactory } from '../training-engine.ts';

export const ENGINE_CHOICES = ['auto', 'tfjs', 'onnx'] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

export interface ChosenEngine {
  name: 'tfjs' | 'onnx';
  create: EngineFactory;
  /** Why this one, in one sentence for the log and the run. */
  reason: string;
}

/** `unknown-engine` lists the engines there are. */
export function parseEngineChoice(name: string): EngineChoice {
  const choice = ENGINE_CHOICES.find((candidate) => candidate === name);
  if (choice !== undefined) return choice;
  throw new DomainError('unknown-engine', `No engine "${name}"; there is: ${ENGINE_CHOICES.join(', ')}.`);
}

/** Loads tfjs only when it is chosen; `engine-unavailable` for an engine that this build does not have. */
export async function chooseEngine(choice: EngineChoice): Promise<ChosenEngine> {
  if (choice === 'onnx') {
    throw new DomainError(
      'engine-unavailable',
      'The ONNX engine is not in this version yet; use --engine tfjs or auto.',
    );
  }
  const { createTfjsEngine } = await import('./tfjs/engine.ts');
  const { startFastestBackend } = await import('./tfjs/backend.ts');
  const { device, passedOver } = await startFastestBackend();
  const others = passedOver.length > 0 ? ` (${passedOver.join('; ')})` : '';
  const why = choice === 'auto' ? 'the only engine in this version' : 'asked for';
  return { name: 'tfjs', create: createTfjsEngine, reason: `tfjs, ${why}, on ${device}${others}` };
}
