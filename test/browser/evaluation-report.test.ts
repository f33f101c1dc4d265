import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EvaluationTally, reportPage } from '@atelier/evaluation';
import type { Browser } from 'playwright-core';
import { answeredBatch, EVALUATION_FACTS } from '../support/answered-batches.ts';
import { startBrowser } from '../support/browser.ts';
import { HOSTILE_NAMES, reportOfNames } from '../support/evaluation-reports.ts';
import { assertOpensWell } from '../support/opened-report.ts';

describe('the report of an evaluation in a browser', () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser.close());

  test('opens without a complaint or a request on any screen, with two versions and names that would do harm', async () => {
    await assertOpensWell(browser, await reportPage(reportOfNames(HOSTILE_NAMES)), 4);
  });

  test('opens the same with one image and nothing to complain of', async () => {
    const tally = new EvaluationTally();
    tally.add(answeredBatch([{ name: 'a', label: 3, predicted: 3, confidence: 0.95 }]));
    await assertOpensWell(browser, await reportPage(tally.report(EVALUATION_FACTS)), 3);
  });

  test('is light in print, whatever the screen is', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.setContent(await reportPage(reportOfNames(['a.png'])));
    await page.emulateMedia({ media: 'print' });
    const paper = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.equal(paper, 'rgb(255, 255, 255)');
    assert.equal(await page.locator('nav').isVisible(), false);
    await page.close();
  });

  test('opens the tables behind its charts by the keyboard', async () => {
    const page = await browser.newPage();
    await page.setContent(await reportPage(reportOfNames(['a.png'])));
    const summary = page.locator('summary', { hasText: 'The confusion matrix as a table' });
    const table = page.locator('caption', { hasText: 'Images by true class' });
    assert.equal(await table.isVisible(), false);
    await summary.focus();
    await page.keyboard.press('Enter');
    assert.equal(await table.isVisible(), true);
    await page.close();
  });
});
