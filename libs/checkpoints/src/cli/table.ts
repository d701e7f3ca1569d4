/** Text and tables for a terminal. */

const MAX_CELL = 120;

/** Text from a file, kept to one short line. */
export function shorten(text: string): string {
  // eslint-disable-next-line no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length > MAX_CELL ? `${line.slice(0, MAX_CELL)}...` : line;
}

/** Rows of cells as lines with aligned columns; numbers to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        /^-?[\d.]+(e[-+]\d+)?$/.test(cell) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join('  ')
      .trimEnd(),
  );
}
