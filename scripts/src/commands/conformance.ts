import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import type { CaseResult } from '../conformance/conformance-case.ts';
import { runConformance } from '../conformance/run-conformance.ts';
import { print, printJson } from '../output.ts';

const MARKS = { passed: '✔', failed: '✖', skipped: '-' } as const;

export function conformanceCommand() {
  return new Command('conformance')
    .description('Try a server of the Open Inference Protocol (v2, REST) against what the protocol says.')
    .argument('<url>', 'where it listens, such as http://127.0.0.1:8080', httpUrl)
    .option('--model <name>', 'instead of the first that it lists')
    .option('--strict', 'hold it to the statuses that docs/open-inference.md recommends, too')
    .option('--json', 'print the results as JSON')
    .addHelpText('after', '\nExample:\n  npm run conformance -- http://127.0.0.1:8080')
    .action(async (url, { model, strict = false, json = false }) => {
      const results: CaseResult[] = [];
      for await (const result of runConformance(url, { strict, ...(model !== undefined && { model }) })) {
        results.push(result);
        if (!json) print(lineOf(result));
      }
      const count = (outcome: CaseResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
      const counts = { passed: count('passed'), failed: count('failed'), skipped: count('skipped') };
      if (json) printJson({ url, ...counts, results });
      else print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      if (counts.failed > 0) process.exitCode = 1;
    });
}

function lineOf({ name, section, outcome, reason }: CaseResult): string {
  const line = `${MARKS[outcome]} ${name} [${section}]`;
  return reason === undefined ? line : `${line}\n    ${reason.replaceAll('\n', '\n    ')}`;
}

function httpUrl(text: string): string {
  if (URL.canParse(text) && new URL(text).protocol === 'http:') return text;
  throw new InvalidArgumentError('Expected an address that begins with http://.');
}
