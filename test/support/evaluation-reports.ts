import { type EvaluationReport, EvaluationTally } from '@atelier/evaluation';
import { type Answered, answeredBatch, EVALUATION_FACTS } from './answered-batches.ts';

/** Names that do harm where a page, a spreadsheet or a terminal takes them for more than text. */
export const HOSTILE_NAMES = [
  '<script>alert(1)</script>.png',
  '"><img src=x onerror=alert(1)>.png',
  '</style><style>*{display:none}</style>',
  "' onmouseover='alert(1)",
  '=cmd|"/C calc"!A0.png',
  '+1+1.png',
  '-2+3.png',
  '@SUM(A1:A9).png',
  '\t=1+1.png',
  'a;=1+1.png',
  'two\r\n=lines.png',
  'nothing\u0000after.png',
  'photo\u202egpj.exe',
  'صورة حذاء.png',
  '日本語/スニーカー.png',
  `folder/${'very-long-'.repeat(400)}.png`,
];

/** A report with a mistake and an unreadable entry of each name, of two versions where `compares`. */
export function reportOfNames(names: readonly string[], compares = true): EvaluationReport {
  const tally = new EvaluationTally({ compares, abstains: compares });
  const wrong = names.map((name, index): Answered => ({
    name,
    label: index % 10,
    predicted: (index + 1) % 10,
    confidence: 0.9 - index / 100,
    ...(compares ? { againstPredicted: index % 10, abstained: index % 5 === 0 } : {}),
  }));
  const right = wrong.flatMap((each) =>
    Array.from({ length: 4 }, () => ({ ...each, predicted: each.label, name: 'right.png' })),
  );
  tally.add(answeredBatch([...wrong, ...right]));
  for (const name of names) tally.skip({ name, code: 'undecodable-image', message: `${name} is no picture.` });
  const against = { against: { ...EVALUATION_FACTS.model, version: 1 } };
  return tally.report({ ...EVALUATION_FACTS, ...(compares ? against : {}) });
}
