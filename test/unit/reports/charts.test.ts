import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chartSvg, comparisonChart, lineChart, standaloneSvg } from '@atelier/reports';
import { rasterise } from '@atelier/trainer';
import sharp from 'sharp';

const comparison = comparisonChart({
  name: 'recipes',
  title: 'Recipes & targets',
  valueTitle: 'Test accuracy',
  valueName: 'Median of three seeds',
  rows: [
    { name: 'one', value: 0.891, measurements: [0.888, 0.891, 0.893], target: 0.89 },
    { name: 'two <b>', value: 0.921, interval: [0.915, 0.926], target: null },
  ],
});

describe('charts', () => {
  test('a comparison shows each row with its value, and a legend', async () => {
    const svg = await chartSvg(comparison);
    for (const text of ['one', 'two &lt;b&gt;', '89.1%', '92.1%', 'Test accuracy', 'Median of three seeds', 'Target'])
      assert.ok(svg.includes(`>${text}</text>`), text);
    assert.equal(comparison.description, 'one: 89.10\u00a0%, target 89.00\u00a0%. two <b>: 92.10\u00a0%.');
  });

  test('an SVG of its own says what it shows and follows the scheme of the screen', async () => {
    const svg = await standaloneSvg(comparison);
    assert.match(svg, /^<svg [^>]*><title>Recipes &amp; targets<\/title><desc>one: .*two &lt;b&gt;/);
    assert.match(svg, /@media \(prefers-color-scheme: dark\) \{\s*\[fill="#1d2329"\] \{ fill: #e6e9ec; \}/);
    const colours = new Set([...svg.matchAll(/(?:fill|stroke)="(#[0-9a-f]{3,6})"/g)].map(([, colour]) => colour));
    for (const colour of colours) assert.ok(svg.includes(`="${colour}"] {`), `${colour} stays as it is in the dark`);
  });

  test('lines have a legend from two on, and no more than can be told apart', async () => {
    const series = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        name: `Series ${index}`,
        points: [
          { x: 1, y: index },
          { x: 2, y: 1 },
        ],
      }));
    const chart = (count: number) =>
      lineChart({
        name: 'lines',
        title: 'Lines',
        description: '',
        xTitle: 'Epoch',
        yTitle: 'Loss',
        series: series(count),
      });
    assert.doesNotMatch(await chartSvg(chart(1)), />Series 0</);
    assert.match(await chartSvg(chart(2)), />Series 0<.*>Series 1</s);
    assert.throws(() => chart(7), /7 series; a chart tells 6 apart/);
  });

  test('text stands in a PNG without any font of the machine', async () => {
    const text = '<text x="4" y="24" font-size="20" font-family="sans-serif">Loss</text>';
    const png = await rasterise(`<svg xmlns="http://www.w3.org/2000/svg" width="60" height="32">${text}</svg>`);
    const { data, info } = await sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [120, 64]);
    const dark = data.filter((value) => value < 64).length;
    assert.ok(dark > 200 && dark < data.length / 4, `${dark} dark pixels`);
  });
});
