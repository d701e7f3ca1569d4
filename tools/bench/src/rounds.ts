/** Rounds of contenders that run in turn, so that other load of the machine meets all of them; each round gives one ratio. */
import type { BenchOptions, BenchRow } from './benchmark';
import { median, quantile } from './quantile';
import type { Contender } from './contender';

/** A contender with the median time of each of its rounds. */
export interface Rounds {
  readonly contender: Contender;
  readonly medians: readonly number[];
}

/** Starts all contenders and lets them run in turn, about `roundMs` each in every round, once at least. The first is ours. */
export async function alternate(
  starts: readonly (() => Contender)[],
  { rounds: count, roundMs }: { readonly rounds: number; readonly roundMs: number },
): Promise<Rounds[]> {
  const contenders = starts.map((start) => start());
  const repeats: number[] = [];
  const rounds = contenders.map((contender) => ({ contender, medians: [] as number[] }));
  try {
    for (const contender of contenders) {
      repeats.push(Math.max(1, Math.round(roundMs / (await contender.warmUp()))));
    }
    for (let round = 0; round < count; round++) {
      for (const [i, { contender, medians }] of rounds.entries()) {
        await contender.round(repeats[i]!);
        medians.push(median(contender.wallMs.slice(-repeats[i]!)));
      }
    }
    return rounds;
  } finally {
    for (const contender of contenders) await contender.end();
  }
}

/** A row for each contender; that of a peer has our time over its own, round by round. */
export function summarize(name: string, [ours, ...others]: readonly Rounds[], log: BenchOptions['log']): BenchRow[] {
  if (ours === undefined) return [];
  const rowOf = ({ contender: { mode, wallMs, cpuMs, peakMB } }: Rounds): BenchRow => ({
    case: name,
    engine: mode === ours.contender.mode ? 'tensorflow' : mode,
    mode: mode === ours.contender.mode ? mode : 'ours / peer',
    wallMs: median(wallMs),
    cpuMs: median(cpuMs),
    peakMB,
    ratioToPeer: null,
  });
  const peerRows = others.map((peer): BenchRow => {
    const ratios = peer.medians.map((time, round) => ours.medians[round]! / time);
    const quartiles = [quantile(ratios, 0.25), quantile(ratios, 0.75)] as const;
    const row = { ...rowOf(peer), ratioToPeer: median(ratios), quartiles };
    const spread = quartiles.map((ratio) => ratio.toFixed(2)).join('-');
    log(`${name}: ours / ${peer.contender.mode} ${row.ratioToPeer.toFixed(2)} (${spread})`);
    return row;
  });
  return [rowOf(ours), ...peerRows];
}
