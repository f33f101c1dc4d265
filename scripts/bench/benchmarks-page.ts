import { machineInWords } from '../src/measurements/machine.ts';
import type { GeneratedPage } from '../src/measurements/written-page.ts';
import type { Benchmark, Figures } from './benchmark.ts';

/** A section for each benchmark that was run; the same for the same figures. */
export function benchmarksPage(
  all: Readonly<Record<string, Figures>>,
  benchmarks: Readonly<Record<string, Benchmark>>,
): GeneratedPage {
  const sections = Object.entries(benchmarks).flatMap(([name, benchmark]) => {
    const figures = all[name];
    return figures === undefined ? [] : [sectionOf(name, benchmark, figures)];
  });
  return { figures: all, charts: [], markdown: `${[HEAD, ...sections].join('\n\n')}\n` };
}

const HEAD = `# Benchmarks

Written by \`npm run bench\` out of the JSON file beside this page; not by hand. What counts is a ratio of two figures of the
same run on the same machine. Each sample is of a fresh process; the variants take turns, every other round backwards. A
figure is the median of the rounds, and what follows in brackets is from the lowest to the highest.`;

function sectionOf(name: string, { title, section }: Benchmark, figures: Figures): string {
  const { writtenAt, machine, rounds, isQuick } = figures;
  return [
    `## ${title}`,
    ...(isQuick ? ['**A quick trial with tiny sizes; its figures mean nothing.**'] : []),
    `\`npm run bench -- ${name}\`, ${writtenAt.slice(0, 10)}, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}. ${machineInWords(machine)}.`,
    section(figures),
  ].join('\n\n');
}
