import { mkdir } from 'node:fs/promises';
import { dirname, join, parse } from 'node:path';
import { type Chart, standaloneSvg } from '@atelier/reports';
import { writeWholeFile } from '../files.ts';

/** The file beside a page that has its name: `docs/results.md` and `.json` give `docs/results.json`. */
export function beside(page: string, ending: string): string {
  const { dir, name } = parse(page);
  return join(dir, `${name}${ending}`);
}

/** `docs/results.md` is called `results`. */
export function pageName(page: string): string {
  return parse(page).name;
}

/** A page with its figures and pictures, which lie beside it. */
export interface GeneratedPage {
  figures: unknown;
  charts: readonly Chart[];
  markdown: string;
}

/** Writes a page `<name>.md`, its figures `<name>.json` and each chart `<chart>.svg`. */
export async function writePage(page: string, { figures, charts, markdown }: GeneratedPage): Promise<void> {
  await mkdir(dirname(page), { recursive: true });
  await writeWholeFile(beside(page, '.json'), `${JSON.stringify(figures, null, 2)}\n`);
  for (const chart of charts)
    await writeWholeFile(join(dirname(page), `${chart.name}.svg`), await standaloneSvg(chart));
  await writeWholeFile(page, markdown);
}
