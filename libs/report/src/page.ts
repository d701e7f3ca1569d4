/** A report as one HTML file that asks nothing of any server. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { html, Html } from './html';

export interface Page {
  readonly title: string;
  readonly subtitle?: string;
  readonly sections: readonly Section[];
}

/** A heading and what stands under it. */
export interface Section {
  readonly title: string;
  /** One or two sentences that tell how to read it. */
  readonly note?: string;
  readonly body: readonly Html[];
}

/** Whatever the page shows comes with it: a browser refuses everything else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** The whole file. */
export function page({ title, subtitle, sections }: Page): string {
  const shown = sections.filter(({ body }) => body.length > 0);
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${POLICY}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${asset('report.css')}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${subtitle === undefined ? undefined : html`<p>${subtitle}</p>`}
          <nav aria-label="Sections">
            ${shown.map((section) => html`<a href="#${idOf(section)}">${section.title}</a> `)}
          </nav>
        </header>
        <main>${shown.map(sectionOf)}</main>
        <script>
          ${chartLibrary()};
        </script>
        <script>
          ${asset('report.js')};
        </script>
      </body>
    </html>`;
  return markup;
}

function sectionOf(section: Section): Html {
  const { title, note, body } = section;
  return html`<section id="${idOf(section)}">
    <h2>${title}</h2>
    ${note === undefined ? undefined : html`<p class="note">${note}</p>`} ${body}
  </section>`;
}

const idOf = ({ title }: Section): string => title.toLowerCase().replace(/[^a-z0-9]+/g, '-');

const asset = (name: string): Html => new Html(readFileSync(join(__dirname, '../assets', name), 'utf8'));

/** Chart.js for pages, minified; its package names the file only by the folder that its entry lies in. */
const chartLibrary = (): Html =>
  new Html(readFileSync(join(dirname(require.resolve('chart.js')), 'chart.umd.min.js'), 'utf8'));
