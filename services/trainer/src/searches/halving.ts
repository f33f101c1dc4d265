import { compareScores, scoreAt, type Validation } from './score.ts';

/** How weak trials are stopped early. */
export interface Halving {
  /** One of this many goes on from each rung; the eta of the paper. */
  reduction: number;
  /** Epochs of the lowest rung. */
  minimumEpochs: number;
}

/** The rungs of a search, and the share that goes on from each. */
export interface Ladder {
  /** Ascending epochs, the last the recipe's own. */
  rungs: readonly number[];
  reduction: number;
}

/** What is known of a trial when the next step is decided. */
export interface TrialProgress {
  number: number;
  /** `paused`: it waits at its rung. `ended`: nothing is left to train, at the last rung or by early stopping. */
  standing: 'unstarted' | 'outstanding' | 'paused' | 'ended' | 'failed';
  /** The rung it was last asked to reach, in epochs; 0 before it was started. */
  untilEpoch: number;
  validation: readonly Validation[];
}

export type Step =
  | { kind: 'start' | 'promote'; trial: number; untilEpoch: number }
  /** Something is outstanding that may decide. */
  | { kind: 'wait' }
  | { kind: 'over' };

/**
 * The ladder from the lowest rung up by factors of `reduction` to `epochs`. A rung that has more than 1/√reduction of the
 * whole way behind it is left out: it costs nearly as much as the end. Without halving the end is the only one.
 */
export function ladder(epochs: number, halving: Halving | null): Ladder {
  if (halving === null) return { rungs: [epochs], reduction: 1 };
  const { reduction, minimumEpochs } = halving;
  const rungs: number[] = [];
  for (let rung = minimumEpochs; rung * Math.sqrt(reduction) <= epochs; rung *= reduction) rungs.push(rung);
  return { rungs: [...rungs, epochs], reduction };
}

/**
 * Asynchronous successive halving (ASHA, arXiv 1810.05934): what to do with the next free place. Trials are started first,
 * in their order; then the lowest rung that can promotes. With one trial at a time this is synchronous successive halving;
 * with more, nobody waits for those that are still on their way to a rung.
 *
 * Of n trials that reported at a rung the best ⌊n/reduction⌋ go on; when no more can arrive, at least one. Failed trials
 * report as the worst. Where all that went on have failed, the next best goes in their place, so that some trial comes to
 * the end while any can.
 */
export function nextStep(trials: readonly TrialProgress[], { rungs, reduction }: Ladder): Step {
  const unstarted = trials.find(({ standing }) => standing === 'unstarted');
  if (unstarted) return { kind: 'start', trial: unstarted.number, untilEpoch: rungs[0] ?? 0 };

  let arrivals = trials;
  let isOpen = false; // more can arrive from below
  for (const [index, rung] of rungs.slice(0, -1).entries()) {
    isOpen ||= arrivals.some((trial) => isOnItsWay(trial, rung));
    const ranked = arrivals.filter((trial) => !isOnItsWay(trial, rung)).sort((a, b) => compareAt(rung, a, b));
    const chosen = ranked.slice(0, Math.floor(ranked.length / reduction));
    let beyond = arrivals.filter((trial) => trial.untilEpoch > rung || isAtEnd(trial, chosen));
    if (!isOpen && beyond.every(({ standing }) => standing === 'failed')) {
      chosen.push(...ranked.filter(({ standing }) => standing !== 'failed').slice(0, 1));
      beyond = arrivals.filter((trial) => trial.untilEpoch > rung || isAtEnd(trial, chosen));
    }
    const promoted = chosen.find(({ standing, untilEpoch }) => standing === 'paused' && untilEpoch <= rung);
    if (promoted) return { kind: 'promote', trial: promoted.number, untilEpoch: rungs[index + 1] ?? rung };
    arrivals = beyond;
  }
  return { kind: trials.some(({ standing }) => standing === 'outstanding') ? 'wait' : 'over' };
}

function isOnItsWay({ standing, untilEpoch }: TrialProgress, rung: number): boolean {
  return standing === 'outstanding' && untilEpoch <= rung;
}

/** A trial that ended by itself and is good enough to go on: it arrives at the next rung without another epoch. */
function isAtEnd(trial: TrialProgress, chosen: readonly TrialProgress[]): boolean {
  return trial.standing === 'ended' && chosen.includes(trial);
}

/** For sorting, the best first. A trial that failed on its way to this rung is the worst; one that failed later is not. */
function compareAt(rung: number, one: TrialProgress, other: TrialProgress): number {
  const score = ({ standing, untilEpoch, validation }: TrialProgress) =>
    standing === 'failed' && untilEpoch <= rung ? null : scoreAt(validation, rung);
  return compareScores(score(one), score(other)) || one.number - other.number;
}
