import { IMAGE_HEIGHT, IMAGE_WIDTH } from '@atelier/domain';
import { type Content, type Markup, markup } from '@atelier/reports';
import { visibleText } from '../visible-text.ts';

/** A picture of the input, what the model made of it, and what it is called. */
export interface NamedPicture {
  preview: string;
  name: string;
  /** For those who cannot see it. */
  description: string;
  caption: readonly Content[];
}

/** Pictures that flow, each with its caption and its name. */
export function namedPictures(pictures: readonly NamedPicture[]): Markup {
  return markup`<div class="pictures wide">${pictures.map(
    ({ preview, name, description, caption }) => markup`<figure class="picture">
<img src="${preview}" width="${IMAGE_WIDTH}" height="${IMAGE_HEIGHT}" alt="${description}">
<figcaption>${caption.map((line) => markup`<span>${line}</span>`)}${nameOf(name)}</figcaption>
</figure>
`,
  )}</div>`;
}

/** A stranger's name: what it turns round or hides, it turns round and hides nowhere but in itself. */
export function nameOf(name: string): Markup {
  return markup`<bdi class="name muted" title="${visibleText(name)}">${visibleText(name)}</bdi>`;
}
