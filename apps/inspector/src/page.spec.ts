/** The page in a browser: opened, filtered, enlarged, an error's cell followed to its images; nothing asked outside, no error told. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { findChromium, openChromium } from '@pyramidal/testing';
import type { Browser, Page } from 'playwright-core';
import { inspectDetections } from './detection/inspect-detections';
import type { Inspected } from './inspected';
import { inspectSegmentation } from './segmentation/inspect-segmentation';
import type { DetectionImage } from './protocol';
import { type Inspector, openInspector } from './server/open-inspector';
import { buildSite } from './server/site';
import { toInspect, toySet, writePictures } from './testing/toy-set';
import { toyMaps } from './testing/toy-maps';

const PATIENCE = 120_000;
/** Where pictures of the page are left for a person to look at. */
const SCREENSHOTS = resolve(__dirname, '../../../runs/inspector');

const executablePath = findChromium();
const reason = executablePath ? '' : ' (skipped: no Chromium in the path, PYRAMIDAL_CHROMIUM names none)';

(executablePath ? describe : describe.skip)(`the page in Chromium${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'inspector-page-'));
  const set = toySet(60);
  const images = join(folder, 'images');
  const detections = inspectDetections(toInspect(set, images, 2));
  const opened: Inspector[] = [];
  const problems: string[] = [];
  let browser: Browser;
  let page: Page;

  const select = (query: string) => detections.select(new URLSearchParams(query)).images;
  const open = async (inspected: Inspected): Promise<string> => {
    const inspector = await openInspector(inspected, { port: 0, site: join(folder, 'site') });
    opened.push(inspector);
    return inspector.address;
  };
  const status = () => page.locator('#status').textContent();
  const settled = (text: string) => page.waitForFunction((start) => document.querySelector('#status')!.textContent.startsWith(start), text); // prettier-ignore
  const shownTiles = () => page.locator('.tiles li:not([hidden])').count();
  const filled = () => page.waitForFunction(() => document.querySelectorAll('.tiles li:not([hidden]):not([data-drawn])').length === 0); // prettier-ignore
  const photograph = (name: string) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    buildSite(join(folder, 'site'));
    await writePictures(images, set.dataset);
    const address = await open(detections);
    ({ browser, page } = await openChromium(executablePath!));
    await page.setViewportSize({ width: 1280, height: 800 });
    page.on('console', (message) => message.type() !== 'log' && problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (hostname !== '127.0.0.1' && protocol !== 'data:' && protocol !== 'blob:') problems.push(request.url());
    });
    await page.goto(address);
    await settled('60 of 60 images');
    await filled();
  }, PATIENCE);

  afterAll(async () => {
    await browser?.close();
    for (const inspector of opened) await inspector.close();
    rmSync(folder, { recursive: true });
  });

  afterEach(() => expect(problems).toEqual([]));

  it('shows a wall whose tiles on the screen alone are in the page', async () => {
    expect(await shownTiles()).toBeLessThan(60);
    expect(await shownTiles()).toBeGreaterThan(10);
    expect(await page.locator('.tiles li').first().getAttribute('aria-setsize')).toBe('60');
    await photograph('wall');
    await page.locator('#wall').evaluate((wall) => wall.scrollTo(0, wall.scrollHeight));
    await page.locator('.tiles button[aria-label^="59.png"]').waitFor();
    await page.locator('#wall').evaluate((wall) => wall.scrollTo(0, 0));
  });

  it('moves nothing that was there while it loads', async () => {
    const shifts = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += (entry as PerformanceEntry & { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve(sum), 100);
        }),
    );
    expect(shifts).toBeLessThan(0.01);
  });

  it('filters, and the address leads back to what is shown', async () => {
    await page.getByLabel('duplicate', { exact: true }).check();
    const duplicates = select('kind=duplicate');
    expect(duplicates.length).toBeGreaterThan(0);
    await settled(`${duplicates.length} of 60 images`);
    await page.getByLabel('Score, least').fill('0');
    await page.getByLabel('Score, least').press('Enter');
    const all = select('kind=duplicate&minScore=0');
    await settled(`${all.length} of 60 images`);
    expect(new URL(page.url()).searchParams.toString()).toBe('kind=duplicate&minScore=0');
    await page.reload();
    await settled(`${all.length} of 60 images`);
    expect(await page.getByLabel('duplicate', { exact: true }).isChecked()).toBe(true);
    await page.getByText('Clear the filter').click();
    await settled('60 of 60 images');
    await page.goBack();
    await settled(`${all.length} of 60 images`);
    await page.getByText('Clear the filter').click();
    await settled('60 of 60 images');
  });

  it('opens an image by the keyboard, enlarges it, goes on to the next, and comes back', async () => {
    await page.locator('.tiles button[tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const index = 1 + 4; // one to the right, one down
    await page.locator(`dialog[data-ready="${index}"]`).waitFor();
    expect(new URL(page.url()).searchParams.get('image')).toBe(String(index));
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    expect(await page.locator('.panes').getAttribute('data-scale')).toBe('2.25');
    await page.locator('#shown-alone-masks').uncheck();
    expect(new URL(page.url()).searchParams.get('hide')).toBe('masks');
    await page.locator('#shown-alone-masks').check();
    await photograph('image-apart');
    await page.locator('.panes').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator(`dialog[data-ready="${index + 1}"]`).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => !document.querySelector('dialog')!.open);
    const focused = await page.evaluate(() => document.activeElement!.getAttribute('aria-label'));
    expect(focused).toMatch(new RegExp(`^${index + 1}\\.png`));
  });

  it('puts two runs beside each other on one image, and tells in words what stands in it', async () => {
    await page.goto(`${opened[0]!.address}/?image=3`);
    await page.locator('dialog[data-ready="3"]').waitFor();
    expect(await page.locator('.panes figcaption').allTextContents()).toEqual(['annotated', 'run 1', 'run 2']);
    const captions = await page.locator('dialog caption').allTextContents();
    const { runs, objects } = detections.image(3, true) as DetectionImage;
    const counts = runs.map((run) => run.detections.filter(({ score }) => score >= 0.3).length);
    expect(captions).toEqual([`run 1: ${counts[0]} detections`, `run 2: ${counts[1]} detections`, `${objects.length} annotated`]); // prettier-ignore
    expect(await page.locator('dialog').textContent()).toContain('<b>猫</b>');
    await page.goto(`${opened[0]!.address}/?image=3&panes=together`);
    await page.locator('dialog[data-ready="3"]').waitFor();
    expect(await page.locator('.panes canvas').count()).toBe(1);
    await page.emulateMedia({ colorScheme: 'dark' });
    await photograph('image-together-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.keyboard.press('Escape');
  });

  it('has the numbers of the evaluation, and a confusion leads to its images', async () => {
    await page.getByRole('link', { name: 'Numbers and errors' }).click();
    const rows = page.locator('table', { hasText: 'As eval prints them' }).locator('tbody tr');
    const { metrics } = detections.about.runs[0]!;
    const shown = await rows.locator('td:nth-of-type(1)').allTextContents();
    expect(shown).toEqual(Object.values(metrics).map((value) => (value < 0 ? '–' : value.toFixed(3))));
    await page.locator('.curve polyline').first().waitFor();
    await photograph('numbers');
    const [row, column, count] = detections.about.runs[0]!.confusion.find(([r, c]) => r !== c && r < 3 && c < 3)!;
    const cell = page.locator(`.confusion a[href*="cell=${row}%3A${column}"]`).first();
    expect(await cell.textContent()).toBe(String(count));
    await cell.scrollIntoViewIfNeeded();
    await photograph('confusion');
    await cell.click();
    const expected = select(`cell=${row}:${column}`);
    await settled(`${expected.length} of 60 images: ${count} pairs`);
    await filled();
    await photograph('cell');
    await page.getByText('Show all').click();
    await settled('60 of 60 images');
  });

  it('leads from an error, and from a point of a curve, to the images', async () => {
    await page.getByRole('link', { name: 'Numbers and errors' }).click();
    const counts = detections.about.runs[0]!.counts!;
    const row = page.locator('table', { hasText: 'Errors by kind' }).locator('tr', { hasText: 'localization' });
    await row.locator('a').first().click();
    await settled(`${select('kind=localization&minScore=0').length} of 60 images: ${counts.localization} localization`);
    await page.getByRole('link', { name: 'Numbers and errors' }).click();
    await page.locator('#curve-class').selectOption({ label: 'dog' });
    const point = page.locator('.curve a').nth(1);
    const query = new URLSearchParams((await point.getAttribute('href'))!);
    query.delete('panes');
    await point.click();
    const found = select(query.toString());
    expect(found.length).toBeGreaterThan(0);
    await settled(`${found.length} of 60 images`);
  });

  it('saves the selection as a COCO data set', async () => {
    await page.goto(`${opened[0]!.address}/?kind=missed`);
    const expected = select('kind=missed');
    await settled(`${expected.length} of 60 images`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('Save the images as COCO JSON').click()]); // prettier-ignore
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const { images: saved } = JSON.parse(Buffer.concat(chunks).toString()) as { images: { id: number }[] };
    expect(saved.map(({ id }) => id - 100)).toEqual(expected);
  });

  it('names every control for those who hear the page', async () => {
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, select, a, canvas[role]')]
        .filter((one) => one.checkVisibility())
        .filter((one) => {
          const labels = (one as HTMLInputElement).labels;
          const text = [
            one.textContent,
            one.getAttribute('aria-label'),
            ...[...(labels ?? [])].map((l) => l.textContent),
          ];
          return text.every((part) => !part?.trim());
        })
        .map((one) => one.outerHTML),
    );
    expect(nameless).toEqual([]);
  });

  it('says in one line what is wrong with an address', async () => {
    await page.goto(`${opened[0]!.address}/?kind=nonsense`);
    await page.waitForFunction(() => document.body.dataset['state'] === 'failed');
    expect(await status()).toMatch(/^kind: expected match, [^\n]*, received 'nonsense'$/);
    problems.length = 0; // the browser tells of the answer 400
  });

  it('shows label maps: label, prediction, difference, as clear as one wants', async () => {
    const maps = await toyMaps(join(folder, 'maps'));
    const address = await open(await inspectSegmentation(maps));
    await page.goto(`${address}/?order=errors`);
    await settled('6 of 6 images');
    await filled();
    await photograph('segmentation');
    await page.goto(`${address}/?image=2&layer=difference&opacity=1&panes=together`);
    await page.locator('dialog[data-ready="2"]').waitFor();
    const red = (): Promise<number> =>
      page.locator('.panes canvas').evaluate((canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4)
          if (data[i] === 213 && data[i + 1] === 94 && data[i + 2] === 0) count++;
        return count / (data.length / 4);
      });
    expect(await red()).toBeGreaterThan(0.01);
    await page.goto(`${address}/?image=2&panes=apart&opacity=0.7`);
    await page.locator('dialog[data-ready="2"]').waitFor();
    const titles = ['label', 'first: prediction', 'first: difference', 'second: prediction', 'second: difference'];
    expect(await page.locator('.panes figcaption').allTextContents()).toEqual(titles);
    await photograph('segmentation-image');
  });
});
