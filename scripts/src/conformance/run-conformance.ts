import { messageOf } from '@atelier/domain';
import { CASES } from './cases/index.ts';
import { type CaseResult, type ConformanceCase, NotApplicable } from './conformance-case.ts';
import { meet, type Subject } from './subject.ts';

export interface ConformanceOptions {
  /** Default: the first that the server lists. */
  model?: string;
  /** Holds the server to the statuses that we recommend, and to keeping the connection after each error. */
  strict?: boolean;
}

/** Tries every case on the server at `url`, one after the other. Throws where it does not say what it is. */
export async function* runConformance(
  url: string,
  { model, strict = false }: ConformanceOptions = {},
): AsyncGenerator<CaseResult> {
  const subject = await meet(url, model, strict);
  try {
    for (const one of CASES) yield await tryCase(one, subject);
  } finally {
    subject.connection.close();
  }
}

export async function tryCase(one: ConformanceCase, subject: Subject): Promise<CaseResult> {
  const { name, section, extension } = one;
  if (extension !== undefined && !subject.server.extensions.includes(extension)) {
    return { name, section, outcome: 'skipped', reason: `the server does not advertise ${extension}` };
  }
  try {
    await one.run(subject);
    return { name, section, outcome: 'passed' };
  } catch (error) {
    const outcome = error instanceof NotApplicable ? 'skipped' : 'failed';
    return { name, section, outcome, reason: messageOf(error) };
  }
}
