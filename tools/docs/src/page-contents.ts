/** What a report shows, in words: what a screenshot of it promises to readers of the documentation. */
import type { Locator, Page } from 'playwright-core';

export interface PageContents {
  readonly sections: readonly string[];
  /** Of charts. */
  readonly charts: readonly string[];
  /** Captions of tables with the names of their columns. */
  readonly tables: readonly string[];
  /** What can be chosen. */
  readonly controls: readonly string[];
}

/** The page's headings, charts and tables, in their order, without any number of a run. */
export async function contentsOf(page: Page): Promise<PageContents> {
  const tables: string[] = [];
  for (const table of await page.locator('table').all()) {
    const caption = await textsOf(table.locator('caption'));
    const columns = await textsOf(table.locator('thead th'));
    tables.push(`${caption.join()}: ${columns.join(', ')}`);
  }
  const sections = await textsOf(page.locator('h2'));
  return {
    sections,
    charts: await textsOf(page.locator('.chart figcaption')),
    tables,
    controls: await controlsOf(page),
  };
}

/** Measured numbers are the run's own. */
async function textsOf(parts: Locator): Promise<string[]> {
  const texts = await parts.allTextContents();
  return texts
    .map((text) =>
      text
        .trim()
        .replace(/\s+/g, ' ')
        .replace(/\d+\.\d+/g, '…'),
    )
    .filter((text) => text !== '');
}

/** The controls of a page, with what they offer. */
export const controlsOf = (page: Page): Promise<string[]> => textsOf(page.locator('label:visible'));

/** @returns a line for each part of a page that is there and was not promised, or the other way round. */
export function contentProblems(name: string, promised: PageContents, shown: PageContents): string[] {
  return (Object.keys(promised) as (keyof PageContents)[]).flatMap((part) => {
    const [before, now] = [promised[part], shown[part]];
    const lost = before.filter((text) => !now.includes(text)).map((text) => `no longer has '${text}'`);
    const added = now.filter((text) => !before.includes(text)).map((text) => `now has '${text}'`);
    return [...lost, ...added].map((problem) => `${name}, ${part}: the page ${problem}`);
  });
}
