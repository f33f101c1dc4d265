/** Where a part of a document that is written by a program begins and ends. */
export interface Marks {
  begin: string;
  end: string;
}

/** `document` with `text` between its two marks, in the place of what stood there; without them it is a `RangeError`. */
export function withPart(document: string, marks: Marks, text: string): string {
  const [begin, end] = [document.indexOf(marks.begin), document.indexOf(marks.end)];
  if (begin < 0 || end < begin) {
    throw new RangeError(`The document lacks the marks "${marks.begin}" and "${marks.end}" in order.`);
  }
  return `${document.slice(0, begin + marks.begin.length)}\n\n${text}\n\n${document.slice(end)}`;
}
