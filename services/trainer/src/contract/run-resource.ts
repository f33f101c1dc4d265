import { readCancelRequest } from '../runs/cancel-request.ts';
import type { StoredRun } from '../runs/run-store.ts';
import { isFinal } from '../runs/run-states.ts';
import type { RunResource } from './runs.ts';

/** A run as a client sees it; of a damaged one what is known, and which field is damaged. */
export async function runResource({ id, directory, state, run, fault }: StoredRun): Promise<RunResource> {
  const job = run?.job ?? null;
  return {
    id,
    state,
    recipe: run?.recipe ?? null,
    request: run?.request ?? null,
    queuedAt: job?.queuedAt ?? null,
    startedAt: run?.startedAt ?? null,
    resumedAt: run?.resumedAt ?? [],
    endedAt: run?.endedAt ?? null,
    engine: run?.engine ?? null,
    data: run?.data ?? null,
    epochs: run?.epochs ?? 0,
    bestEpoch: run?.bestEpoch ?? null,
    recoveries: job?.recoveries ?? 0,
    cancelRequested: !isFinal(state) && (await isCancelRequested(directory)),
    trial: job?.trial ?? null,
    error: fault === null ? (run?.error ?? null) : { code: fault.code, message: fault.message },
    publishAs: run?.publishAs ?? null,
    published: run?.published ?? null,
    unpublished: run?.unpublished ?? null,
  };
}

/** What cannot be read is for whoever attends to the run. */
async function isCancelRequested(directory: string): Promise<boolean> {
  return (await readCancelRequest(directory).catch(() => null)) !== null;
}
