/** Confusion matrices as tables: a cell's shade is its share of the row. */
import { html, type Html } from './html';

export interface ConfusionTable {
  readonly caption: string;
  /** [rows][columns]. */
  readonly counts: readonly ArrayLike<number>[];
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
}

/** Rows are the truth, columns what was predicted. */
export function confusionTable({ caption, counts, rowNames, columnNames }: ConfusionTable): Html {
  return html`<div class="scroll">
    <table class="confusion">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          <th scope="col">truth prediction</th>
          ${columnNames.map((name) => html`<th scope="col"><span>${name}</span></th>`)}
        </tr>
      </thead>
      <tbody>
        ${Array.from(counts, (row, i) => confusionRow(Array.from(row), rowNames[i] as string, columnNames))}
      </tbody>
    </table>
  </div>`;
}

function confusionRow(row: readonly number[], name: string, columns: readonly string[]): Html {
  const total = row.reduce((sum, count) => sum + count, 0);
  const cells = row.map((count, k) => {
    if (count === 0) return html`<td></td>`;
    const share = count / total;
    const title = `${name} taken for ${columns[k] as string}: ${count} (${(100 * share).toFixed(1)} %)`;
    return html`<td style="--share:${share.toFixed(3)}" title="${title}">${count}</td>`;
  });
  return html`<tr>
    <th scope="row">${name}</th>
    ${cells}
  </tr>`;
}
