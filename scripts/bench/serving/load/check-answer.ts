import type { Answer } from './answer-parser.ts';
import type { ExpectedAnswer, PreparedRequest } from './load-plan.ts';

/** What is wrong with an answer; null where nothing is. */
export function faultOf(answer: Answer, expected: NonNullable<PreparedRequest['expected']>): string | null {
  if (!expected.statuses.includes(answer.status)) {
    return `status ${answer.status} instead of ${expected.statuses.join(' or ')}: ${answer.body.toString('utf8', 0, 200)}`;
  }
  if (answer.status !== 200 || expected.answer === undefined) return null;
  const { form, probabilities, tolerance } = expected.answer;
  const found = PROBABILITIES[form](answer);
  const isRight =
    found.length === probabilities.length &&
    found.every((value, index) => Math.abs(value - (probabilities[index] ?? NaN)) <= tolerance);
  return isRight ? null : `probabilities ${found.join(', ')} instead of ${probabilities.join(', ')}`;
}

/** The probabilities by class, out of each form of answer. */
const PROBABILITIES: Record<ExpectedAnswer['form'], (answer: Answer) => number[]> = {
  predictions: ({ body }) => {
    const { predictions } = JSON.parse(body.toString()) as {
      predictions: { probabilities: { classIndex: number; probability: number }[] }[];
    };
    const byClass = (predictions[0]?.probabilities ?? []).sort((a, b) => a.classIndex - b.classIndex);
    return byClass.map(({ probability }) => probability);
  },
  // Open Inference Protocol, binary tensor extension: JSON of the length in the header, then float32, little-endian.
  tensor: ({ head, body }) => {
    const [, length] = /\r\ninference-header-content-length: *(\d+)/i.exec(head) ?? [];
    const tensor = body.subarray(Number(length));
    return Array.from({ length: tensor.length / 4 }, (_, index) => tensor.readFloatLE(index * 4));
  },
};
