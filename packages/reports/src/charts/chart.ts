import type { TopLevelSpec } from 'vega-lite';
import { CHART_CONFIG, darkRules } from './theme.ts';

/** A chart to be drawn, and what it says in words. */
export interface Chart {
  /** Names its files: lower-case words joined by hyphens. */
  name: string;
  title: string;
  /** For those who cannot see it: what is drawn, and its most important numbers. */
  description: string;
  spec: TopLevelSpec;
}

/** A chart with its picture. */
export interface DrawnChart extends Chart {
  svg: string;
}

/** Width of a character as a share of the font size: a generous mean over the fonts that readers may have. */
const CHARACTER_WIDTH = 0.58;

/** The chart as SVG in the colours of a light page, without a background. Loads vega at the first chart. */
export async function chartSvg({ spec }: Chart): Promise<string> {
  const { vega, compile } = await libraries();
  const view = new vega.View(vega.parse(compile(spec, { config: CHART_CONFIG }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

export async function drawn(chart: Chart): Promise<DrawnChart> {
  return { ...chart, svg: await chartSvg(chart) };
}

/** Vega with a measure of text: without a canvas its own is half as wide again as any text, and leaves gaps. */
async function libraries() {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { textMetrics } = vega as unknown as {
    textMetrics: { width: (item: { fontSize?: number }, text: unknown) => number };
  };
  textMetrics.width = ({ fontSize = 11 }, text) => CHARACTER_WIDTH * fontSize * textLength(text);
  return { vega, compile };
}

/** Of a label as vega has it: text, a number, or nothing. */
function textLength(text: unknown): number {
  return typeof text === 'string' ? text.length : typeof text === 'number' ? String(text).length : 0;
}

/** The chart as a file of its own, dark where its reader's screen is: for pages that show it by `<img>`. */
export async function standaloneSvg(chart: Chart): Promise<string> {
  const svg = await chartSvg(chart);
  const style = `<style>@media (prefers-color-scheme: dark) {\n${darkRules()}\n}</style>`;
  return `${svg.replace(/(?<=^<svg[^>]*>)/, `<title>${escapeXml(chart.title)}</title><desc>${escapeXml(chart.description)}</desc>${style}`)}\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
