/** Tables that can be read without a script, and sorted with one. */
import { html, type Html, type HtmlValue } from './html';

/** A cell: text, or a number with the form in which it is shown; a number that is none sorts last and shows a dash. */
export type Cell = string | Html | { readonly value: number; readonly text?: string };

export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Clicking a heading sorts by it. */
export function table({ caption, columns, rows }: Table): Html {
  return html`<div class="scroll">
    <table class="sortable">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map((name) => html`<th scope="col"><button type="button">${name}</button></th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell, i) => cellOf(cell, i === 0))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A share as a percentage; -1 and NaN, which stand for nothing to count, as a dash. */
export const percent = (share: number): Cell => number(share, (100 * share).toFixed(1));

/** A number from 0 on; -1 and NaN stand for nothing to count. */
export function number(value: number, text = String(value)): Cell {
  return value >= 0 ? { value, text } : { value: NaN };
}

function cellOf(cell: Cell, isHead: boolean): HtmlValue {
  if (typeof cell === 'string' || 'markup' in cell)
    return isHead ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`;
  const { value, text = String(value) } = cell;
  return Number.isFinite(value) ? html`<td data-value="${value}">${text}</td>` : html`<td>–</td>`;
}
