import { messageOf } from '@atelier/domain';
import { CheckResult, type Finding } from './report.ts';

/** One question about the machine. */
export interface Check {
  group: string;
  /** Stable, in lower case with hyphens. */
  name: string;
  /** A rejection is a fault in its own words. */
  examine: () => Finding | Promise<Finding>;
}

/** Asks all at once and gives the answers in order, each as soon as it and those before it are there. */
export async function* examine(checks: readonly Check[]): AsyncGenerator<CheckResult> {
  const findings = checks.map(async (check) => {
    try {
      return await check.examine();
    } catch (error) {
      return brokenOff(error);
    }
  });
  for (const [index, { group, name }] of checks.entries()) {
    yield CheckResult.parse({ group, name, ...(await findings[index]) });
  }
}

function brokenOff(error: unknown): Finding {
  return {
    status: 'fault',
    summary: `could not be found out: ${messageOf(error)}`,
    remedy: 'Report these words, please.',
  };
}
