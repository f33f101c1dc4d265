import { readFileSync } from 'node:fs';
import { COLOURS, darkRules } from '../charts/theme.ts';
import { type Content, Markup, markup } from './markup.ts';

/** Nothing may be loaded, run or sent: the page is whole in itself. */
export const CONTENT_POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** A page in one HTML file; `body` is all that stands in it. `styles` is CSS of our own beside what every page has. */
export function htmlDocument(title: string, body: Content, styles = ''): string {
  return `<!doctype html>\n${
    markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${Markup.trusted(`${styleSheet()}\n${styles}`)}</style>
</head>
<body>
${body}
</body>
</html>`.text
  }\n`;
}

/** Links to the sections of a page, by their ids. */
export function sectionLinks(sections: readonly (readonly [id: string, title: string])[]): Markup {
  return markup`<nav aria-label="Sections"><ul>${sections.map(([id, title]) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;
}

/** The page's colours are those of the charts; what is dark on a screen is light in print. */
function styleSheet(): string {
  const layout = readFileSync(new URL('./report.css', import.meta.url), 'utf8');
  const variables = (scheme: 'light' | 'dark') =>
    `:root { ${Object.entries(COLOURS)
      .map(([name, colour]) => `--${name}: ${colour[scheme]};`)
      .join(' ')} }`;
  return `${variables('light')}\n${layout}\n@media screen and (prefers-color-scheme: dark) {\n${variables('dark')}\n${darkRules()}\n}`;
}
