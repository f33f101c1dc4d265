/** A piece of HTML that is safe to stand in a page. */
export class Markup {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** Takes `text` for HTML as it is: only for what we made ourselves. */
  static trusted(text: string): Markup {
    return new Markup(text);
  }
}

export type Content = Markup | string | number | null | readonly Content[];

/** HTML with its values escaped, except those that are markup themselves; null and an empty list leave nothing. */
export function markup(pieces: TemplateStringsArray, ...values: Content[]): Markup {
  return Markup.trusted(pieces.map((piece, index) => piece + textOf(values[index] ?? null)).join(''));
}

function textOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(textOf).join('');
  return escape(String(content));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}
