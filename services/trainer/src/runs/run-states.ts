import { DomainError } from '@atelier/domain';

export const RUN_STATES = ['queued', 'running', 'interrupted', 'finished', 'failed', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** What can be asked for a run, and the states in which it can. */
const LEGAL = {
  cancel: ['queued', 'running', 'interrupted'],
  resume: ['interrupted', 'failed', 'cancelled'],
  publish: ['finished'],
  delete: ['interrupted', 'finished', 'failed', 'cancelled'],
} as const satisfies Record<string, readonly RunState[]>;
export type Transition = keyof typeof LEGAL;

const PAST_TENSE: Record<Transition, string> = {
  cancel: 'cancelled',
  resume: 'resumed',
  publish: 'published',
  delete: 'deleted',
};

/** Whether a run stays in `state` unless somebody asks for something else. */
export function isFinal(state: RunState): boolean {
  return state === 'finished' || state === 'failed' || state === 'cancelled';
}

/** `illegal-transition` names the states in which `transition` would be possible. */
export function requireLegal(transition: Transition, { id, state }: { id: string; state: RunState }): void {
  const legalStates: readonly RunState[] = LEGAL[transition];
  if (legalStates.includes(state)) return;
  throw new DomainError(
    'illegal-transition',
    `Run ${id} is ${state} and cannot be ${PAST_TENSE[transition]}; it could be one that is ${legalStates.join(', ')}.`,
    { details: { state, legalStates } },
  );
}
