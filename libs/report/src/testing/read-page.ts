/** What stands in a report, read back from its text. */
import type { Chart } from '../chart';

/** Its charts, in their order. */
export function chartsOf(page: string): Chart[] {
  const figures = page.matchAll(/<figure class="chart"[^]*?<script type="application\/json">([^]*?)<\/script>/g);
  return [...figures].map(([, text]) => JSON.parse(text!) as Chart);
}

/** The rows of the table with a caption, cell by cell: the numbers that it is sorted by, otherwise the text. */
export function rowsOf(page: string, caption: string): (string | number)[][] {
  const table = [...page.matchAll(/<table[^]*?<\/table>/g)].find(([text]) => text.includes(caption))![0];
  const body = /<tbody>([^]*)<\/tbody>/.exec(table)![1]!;
  return [...body.matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, row]) =>
    [...row!.matchAll(/<t[hd]([^>]*)>([^]*?)<\/t[hd]>/g)].map(([, attributes, text]) => {
      const value = /data-value="([^"]*)"/.exec(attributes!)?.[1];
      return value === undefined ? text!.trim() : Number(value);
    }),
  );
}
