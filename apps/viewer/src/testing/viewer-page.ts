/** The viewer's page as a person works it, for browser specs. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import type { Engine } from '../engines';

const PATIENCE = 240_000;

/** Where files are dropped. */
type Target = 'weights' | 'picture' | 'model';

/** The page as its visitors use it. */
export class ViewerPage {
  constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE);
  }

  async open(address: string, settings?: { engine: Engine; size: number }): Promise<void> {
    await this.page.goto(address);
    if (!settings) return;
    await this.page.selectOption('#engine', settings.engine);
    await this.page.fill('#size', String(settings.size));
  }

  /** Drops a file's bytes, as from a folder. */
  drop(target: 'weights' | 'picture', name: string, bytes: Uint8Array): Promise<void> {
    return this.dropAll(target, { [name]: bytes });
  }

  async dropAll(target: Target, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const transfer = await this.page.evaluateHandle(
      (encoded) => {
        const transfer = new DataTransfer();
        for (const [name, base64] of encoded) {
          transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name));
        }
        return transfer;
      },
      Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')] as const),
    );
    await this.page.dispatchEvent(`#${target}-drop`, 'drop', { dataTransfer: transfer });
  }

  choose(target: 'weights' | 'picture', path: string): Promise<void> {
    return this.page.setInputFiles(`#${target}-file`, path);
  }

  /** Waits for the work in hand. @returns how it ended, and the line that tells. */
  async outcome(): Promise<{ state: string; message: string }> {
    const settled = () => ['ready', 'failed'].includes(document.body.dataset['state']!);
    await this.page.waitForFunction(settled, undefined, { polling: 50 });
    return this.page.evaluate(() => ({
      state: document.body.dataset['state']!,
      message: document.querySelector('#status')!.textContent,
    }));
  }

  /** The bytes of the file that "Save the maps" gives. */
  async savedMaps(): Promise<Uint8Array> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.page.click('#save')]);
    return readFileSync(await download.path());
  }

  texts(selector: string): Promise<string[]> {
    return this.page.locator(selector).allTextContents();
  }

  /** Red, green and blue of a map's cell as it is drawn. */
  pixel(level: string, x: number, y: number): Promise<number[]> {
    return this.page.evaluate(
      ({ level, x, y }) => {
        const canvas = document.querySelector<HTMLCanvasElement>(`#${level} canvas`)!;
        return [...canvas.getContext('2d')!.getImageData(x, y, 1, 1).data.subarray(0, 3)];
      },
      { level, x, y },
    );
  }
}
