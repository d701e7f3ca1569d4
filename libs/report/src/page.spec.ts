/** A page in a browser: it draws, sorts and chooses, and asks for nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium, openChromium } from '@pyramidal/testing';
import { choosableChart, type Chart } from './chart';
import { page } from './page';
import { number, table } from './table';

const line = (title: string, points: readonly (readonly [number, number])[]): Chart => ({
  title,
  kind: 'line',
  xLabel: 'x',
  yLabel: 'y',
  series: [{ name: 'a', points }],
});

const executablePath = findChromium();
const reason = executablePath ? '' : ' (skipped: no Chromium in the path, PYRAMIDAL_CHROMIUM names none)';

(executablePath ? describe : describe.skip)(`a page in Chromium${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  let opened: Awaited<ReturnType<typeof openChromium>>;
  const seen: string[] = [];

  beforeAll(async () => {
    const file = join(folder, 'report.html');
    const body = [
      choosableChart('class', [
        ['all', line('All', [[0, 1], [1, 0.5]])],
        ['cat', line('Cat', [[0, 0.25]])],
      ]),
      table({ caption: 'Classes', columns: ['class', 'AP'], rows: [['cat', number(0.5)], ['dog', number(-1)], ['bird', number(0.75)]] }),
    ]; // prettier-ignore
    writeFileSync(file, page({ title: 'Report', sections: [{ title: 'One', body }] }));
    opened = await openChromium(executablePath!);
    opened.page.on('console', (message) => seen.push(message.text()));
    opened.page.on('pageerror', (error) => seen.push(error.message));
    opened.page.on('request', (request) => seen.push(request.url()));
    const address = pathToFileURL(file).href;
    await opened.page.goto(address);
    expect(seen.splice(0)).toEqual([address]);
  });

  afterAll(async () => {
    await opened?.browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('draws the chart, and another when it is chosen', async () => {
    const drawn = (): Promise<unknown> =>
      opened.page.evaluate("Chart.getChart(document.querySelector('canvas')).data.datasets[0].data");
    expect(await drawn()).toEqual([{ x: 0, y: 1 }, { x: 1, y: 0.5 }]); // prettier-ignore
    await opened.page.selectOption('select', { label: 'cat' });
    expect(await drawn()).toEqual([{ x: 0, y: 0.25 }]);
    expect(await opened.page.textContent('figcaption')).toBe('Cat');
  });

  it('sorts by a heading: best first, then the other way, what is no number at the end', async () => {
    const names = (): Promise<string[]> => opened.page.locator('tbody th').allTextContents();
    await opened.page.click('thead th:nth-child(2) button');
    expect((await names()).map((name) => name.trim())).toEqual(['bird', 'cat', 'dog']);
    await opened.page.click('thead th:nth-child(2) button');
    expect((await names()).map((name) => name.trim())).toEqual(['cat', 'bird', 'dog']);
  });

  it('says nothing and asks for nothing', () => expect(seen).toEqual([]));
});
