import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { temporaryFolder } from './temporary-folder.ts';

/** Screens on which a report is looked at. */
const SCREENS = [
  { colorScheme: 'light', viewport: { width: 1200, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 1200, height: 900 } },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const;

/** A chart that can be looked at has some size, in CSS pixels. */
const SMALLEST_CHART = 60;

/**
 * Opens a report as a file, as people do, on a large screen and on a phone, in light and dark: it asks for nothing, the
 * console stays empty, it is no wider than the screen, its charts and pictures are seen, and its text stands out.
 */
export async function assertOpensWell(browser: Browser, html: string, charts: number): Promise<void> {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'report.html');
  await writeFile(file, html);
  try {
    for (const screen of SCREENS) {
      const page = await browser.newPage(screen);
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
      page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      page.on('request', (request) => {
        if (!/^(file|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
      });
      await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
      const where = `${screen.colorScheme}, ${screen.viewport.width} wide`;
      assert.deepEqual(complaints, [], where);
      await assertFits(page, where);
      await assertCharts(page, charts, where);
      await assertPictures(page, where);
      await assertReadable(page, screen.colorScheme, where);
      await page.close();
    }
  } finally {
    await folder.remove();
  }
}

/** Code for the page stands in text: the tests are compiled without a browser's types. */
async function assertFits(page: Page, where: string): Promise<void> {
  const excess = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  assert.equal(excess, 0, `${where}: ${excess} pixels wider than the screen`);
}

async function assertCharts(page: Page, count: number, where: string): Promise<void> {
  const drawings = page.locator('figure.chart svg');
  assert.equal(await drawings.count(), count, where);
  for (const drawing of await drawings.all()) {
    const box = await drawing.boundingBox();
    assert.ok(
      box !== null && box.width > SMALLEST_CHART && box.height > SMALLEST_CHART,
      `${where}: a chart of ${box?.width} by ${box?.height}`,
    );
  }
}

async function assertPictures(page: Page, where: string): Promise<void> {
  const broken = await page.evaluate<number>(
    '[...document.images].filter((image) => !image.complete || image.naturalWidth === 0).length',
  );
  assert.equal(broken, 0, `${where}: pictures that do not show`);
}

/** The page's and a chart's text against the page, by WCAG 2's contrast: 4.5 is its level AA. */
async function assertReadable(page: Page, scheme: 'light' | 'dark', where: string): Promise<void> {
  const [paper = [], ink = [], label = []] = await page.evaluate<number[][]>(`
    [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
     getComputedStyle(document.querySelector('figure.chart svg text')).fill]
      .map((colour) => colour.match(/\\d+(\\.\\d+)?/g).slice(0, 3).map(Number))`);
  assert.equal(luminance(paper) < 0.5, scheme === 'dark', `${where}: ${paper.join(' ')}`);
  for (const colour of [ink, label]) {
    const [light, dark] = [luminance(paper), luminance(colour)].sort((one, other) => other - one);
    assert.ok(
      ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05) >= 4.5,
      `${where}: ${colour.join(' ')} on ${paper.join(' ')}`,
    );
  }
}

/** Relative luminance as in WCAG 2, of red, green and blue from 0 to 255. */
function luminance(colour: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
