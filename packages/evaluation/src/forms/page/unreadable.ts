import { type Markup, markup, table, wholeNumber } from '@atelier/reports';
import type { EvaluationReport } from '../../report.ts';
import { visibleText } from '../visible-text.ts';
import { nameOf } from './pictures.ts';

/** Entries of the input that no other number counts. */
export function unreadableSection({ count, byCode, shown }: EvaluationReport['unreadable']): Markup {
  return markup`<section id="unreadable">
<h2>What was not read</h2>
<p>${wholeNumber(count)} ${count === 1 ? 'entry is' : 'entries are'} counted in no other number.</p>
${table(
  'By reason',
  [
    { title: 'Code', cell: ([code]) => code, kind: 'text' },
    { title: 'Entries', cell: ([, times]) => wholeNumber(times) },
  ],
  Object.entries(byCode),
)}
<details${shown.length <= 12 ? OPEN : null}><summary>${shown.length === count ? 'All of them' : `The first ${shown.length}`}</summary>
${table(
  'Entries that were not read',
  [
    { title: 'Name', cell: ({ name }) => nameOf(name), kind: 'prose' },
    { title: 'Code', cell: ({ code }) => code, kind: 'text' },
    { title: 'Why', cell: ({ message }) => markup`<bdi>${visibleText(message)}</bdi>`, kind: 'prose' },
  ],
  shown,
)}
</details>
</section>`;
}

const OPEN = markup` open`;
