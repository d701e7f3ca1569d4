/** `, did you mean 'epochs'?` for the word that a mistyped one stands for; '' where none is near, or several are. */
export function didYouMean(word: string, known: readonly string[]): string {
  const guess = partOf(word, known) ?? nearest(word, known);
  return guess === undefined || guess === '' ? '' : `, did you mean '${guess}'?`;
}

/** The one word that holds this one, best between hyphens, '' for several: `gpu` of `tensorflow-gpu`, whatever else looks like it. */
function partOf(word: string, known: readonly string[]): string | undefined {
  if (word.length < 3) return undefined;
  const part = word.toLowerCase();
  const holding = known.filter((candidate) => candidate.toLowerCase().includes(part));
  const whole = holding.filter((candidate) => candidate.toLowerCase().split('-').includes(part));
  const [first, ...others] = whole.length === 1 ? whole : holding;
  return others.length > 0 ? '' : first;
}

/** The word at the smallest distance, if that is small for words so long. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  let best: { candidate: string; distance: number } | undefined;
  for (const candidate of known) {
    // The distance is at least the difference in length: a very long word is compared with none.
    if (Math.abs(candidate.length - word.length) > allowed) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && distance < (best?.distance ?? Infinity)) best = { candidate, distance };
  }
  return best?.candidate;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(substituted, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
