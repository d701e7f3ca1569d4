/** Pictures of what a training, an evaluation and predictions leave, for the documentation. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { decodeImage, encodeImage, padImage, type RgbImage } from '@pyramidal/images';
import { contactSheet } from '@pyramidal/pictures';
import { findChromium, openChromium } from '@pyramidal/testing';
import type { Page } from 'playwright-core';
import { contentsOf, controlsOf, type PageContents } from './page-contents';
import { withInspector } from './serve-inspector';

/** Folders that the programs wrote. */
export interface Results {
  /** The sample set. */
  readonly data: string;
  readonly run: string;
  readonly evaluation: string;
  readonly predictions: string;
}

export interface Screenshots {
  /** WebP by name. */
  readonly pictures: ReadonlyMap<string, Buffer>;
  readonly contents: Readonly<Record<string, PageContents>>;
}

const VIEW = { width: 1100, height: 760 };
const QUALITY = 80;
/** Predictions on a sheet. */
const PREDICTIONS = 4;

/** @throws Error where there is no browser, or the programs did not write what is to be shown. */
export async function takeScreenshots({ data, run, evaluation, predictions }: Results): Promise<Screenshots> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('screenshots: no Chromium in the path, PYRAMIDAL_CHROMIUM names none');
  const { browser, page } = await openChromium(executablePath);
  try {
    await page.setViewportSize(VIEW);
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    const training = await open(page, join(run, 'report.html'));
    const losses = await shot(page, '#loss');
    const measured = await open(page, join(evaluation, 'report.html'));
    const pages = new Map([
      ['training', losses],
      ['evaluation', await shot(page, '#precision-and-recall')],
      ['errors', await shot(page, '#errors')],
      ['images', await shot(page, '#images')],
    ]);
    const inspected = await withInspector({ data, evaluation }, async (address) => {
      pages.set('wall', await whole(page, address));
      const controls = await controlsOf(page);
      pages.set('one-image', await whole(page, `${address}/?image=3`));
      controls.push(...(await controlsOf(page)));
      await whole(page, `${address}/?view=numbers`);
      return { ...(await contentsOf(page)), controls: [...new Set(controls)] };
    });
    if (complaints.length > 0) throw new Error(`screenshots: errors in the page: ${complaints.join('; ')}`);
    const drawn = new Map([
      ['curves', await decodeImage(join(run, 'loss.png'))],
      ['predictions', await sheetOf(predictions)],
    ]);
    const pictures = new Map<string, Buffer>();
    for (const [name, image] of [...pages, ...drawn]) pictures.set(name, await encodeImage(image, 'webp', QUALITY));
    return { pictures, contents: { training, evaluation: measured, inspector: inspected } };
  } finally {
    await browser.close();
  }
}

async function open(page: Page, file: string): Promise<PageContents> {
  await page.goto(pathToFileURL(resolve(file)).href);
  return contentsOf(page);
}

/** What a screen shows of a page that fetches what it shows. */
async function whole(page: Page, address: string): Promise<RgbImage> {
  await page.goto(address, { waitUntil: 'networkidle' });
  return decodeImage(await page.screenshot());
}

/** A section from its top, as much as a screen shows. */
async function shot(page: Page, selector: string): Promise<RgbImage> {
  const section = page.locator(selector);
  await section.evaluate((element) => element.scrollIntoView());
  const box = await section.boundingBox();
  if (box === null) throw new Error(`screenshots: ${page.url()} has no visible ${selector}`);
  const height = Math.min(box.height, VIEW.height - box.y);
  return decodeImage(await page.screenshot({ clip: { x: 0, y: box.y, width: VIEW.width, height } }));
}

/** The first predictions. */
async function sheetOf(folder: string): Promise<RgbImage> {
  const files = readdirSync(folder).filter((file) => /^\d+-(?!.*-C\d\.jpg$).*\.jpg$/.test(file)).sort(); // prettier-ignore
  if (files.length === 0) throw new Error(`screenshots: ${folder} has no pictures`);
  const images = await Promise.all(files.slice(0, PREDICTIONS).map((file) => decodeImage(join(folder, file))));
  const [width, height] = (['width', 'height'] as const).map((side) => Math.max(...images.map((image) => image[side])));
  const size = { width: width!, height: height! };
  return contactSheet(images.map((image) => padImage(image, size, { fill: [255, 255, 255] })));
}
