/** The check of a card as a table with a verdict. */
import type { Comparison } from './compare';
import type { CardReport, SpeedRow } from './check';
import type { SpeedAnswer } from './speed-contender';

/** The whole report, for a terminal and for Markdown alike. */
export function describeReport(report: CardReport): string {
  const { device, comparisons, speeds } = report;
  return [
    `Card: ${device}`,
    '',
    '| numbers | precision | cases | agree | largest difference |',
    '|---|---|---:|---:|---|',
    ...groupsOf(comparisons).map(rowOfGroup),
    '',
    '| network | precision | forward ms | training ms | computing | memory MB | forward / PyTorch | training / PyTorch |',
    '|---|---|---:|---:|---:|---:|---:|---:|',
    ...speeds.map(rowOfSpeed),
    '',
    ...speeds.flatMap(whereTimeGoes),
    '',
    ...verdict(report),
  ].join('\n');
}

/** Whether all numbers agree and every network ran. */
export const isGood = (report: CardReport): boolean => problemsOf(report).length === 0;

function groupsOf(comparisons: readonly Comparison[]): Comparison[][] {
  const groups = new Map<string, Comparison[]>();
  for (const each of comparisons) {
    const key = `${each.kind} ${each.precision}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}

function rowOfGroup(group: readonly Comparison[]): string {
  const [{ kind, precision }] = group as [Comparison];
  const worst = group.reduce((most, each) => (each.difference > most.difference ? each : most));
  const agree = group.filter(({ fault }) => fault === undefined).length;
  const largest = Number.isNaN(worst.difference) ? '' : `${worst.difference.toExponential(1)} (${worst.name})`;
  return `| ${kind} | ${precision} | ${group.length} | ${agree} | ${largest} |`;
}

function rowOfSpeed({ ours, torch, ...row }: SpeedRow): string {
  const [network, how] = [row.network, howOf(row)];
  if (typeof ours === 'string') return `| ${network} | ${how} | | | | | | |`;
  const ratio = (key: 'forwardMs' | 'trainMs'): string =>
    torch === undefined || typeof torch === 'string' ? '' : (ours[key] / torch[key]).toFixed(2);
  const { forwardMs, trainMs, memoryMB, timeline } = ours;
  const computing = timeline === undefined ? '' : `${((100 * timeline.busyMs) / trainMs).toFixed(0)} %`;
  const times = [forwardMs.toFixed(1), trainMs.toFixed(1), computing, memoryMB.toFixed(0)];
  const numbers = [...times, ratio('forwardMs'), ratio('trainMs')];
  return `| ${[network, how, ...numbers].join(' | ')} |`;
}

/** A row as soon as it is known. */
export const describeSpeed = (row: SpeedRow): string => {
  const { ours, torch, network } = row;
  if (typeof ours === 'string') return `${network} in ${howOf(row)}: ${ours}`;
  const times = ({ forwardMs, trainMs }: SpeedAnswer): string =>
    `forward ${forwardMs.toFixed(1)} ms, training ${trainMs.toFixed(1)} ms`;
  const beside = torch === undefined || typeof torch === 'string' ? '' : `; PyTorch's ${times(torch)}`;
  return [`${network} in ${howOf(row)}: ${times(ours)}${beside}`, ...whereTimeGoes(row)].join('\n');
};

/** How many operations of a step are named. */
const NAMED = 6;

/** Of a training step, a line for each network. */
function whereTimeGoes({ ours, ...row }: SpeedRow): string[] {
  if (typeof ours === 'string' || ours.timeline === undefined) return [];
  const { busyMs, copyingMs, kernels, longest } = ours.timeline;
  const named = longest.slice(0, NAMED).map(({ group, count, ms }) => `${group} ${ms.toFixed(1)} (${count})`);
  const all = `${kernels} started, computing ${busyMs.toFixed(1)} ms, copies ${copyingMs.toFixed(1)} ms`;
  return [`${row.network} in ${howOf(row)}, a training step: ${all}; ${named.join(', ')}`];
}

const howOf = ({ precision, xla }: Pick<SpeedRow, 'precision' | 'xla'>): string =>
  xla ? `${precision} with XLA` : precision;

function problemsOf({ comparisons, faults, speeds }: CardReport): string[] {
  const wrong = comparisons.flatMap(({ kind, name, precision, fault }) =>
    fault === undefined ? [] : [`${kind} ${name} in ${precision}: ${fault}`],
  );
  const failed = speeds.flatMap(({ ours, ...row }) => {
    const name = `${row.network} in ${howOf(row)}`;
    if (typeof ours === 'string') return [`${name} did not run: ${ours}`];
    return ours.fault === undefined ? [] : [`${name} ended after its times: ${ours.fault}`];
  });
  return [...faults, ...wrong, ...failed];
}

function verdict(report: CardReport): string[] {
  const problems = problemsOf(report);
  const peers = notesOnPeers(report.speeds);
  if (problems.length > 0) {
    const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
    return [
      ...peers,
      `Not good: ${count}. \`npm run runtime -- doctor\` tells what is installed.`,
      ...problems.map((line) => `- ${line}`),
    ];
  }
  return [...peers, `Good: all ${report.comparisons.length} cases agree with the processor, and every network ran.`];
}

function notesOnPeers(speeds: readonly SpeedRow[]): string[] {
  const without = speeds.some(({ torch }) => torch === undefined);
  if (without) return ['PYRAMIDAL_PYTHON names no Python: nothing stands beside these times.'];
  const reason = speeds.map(({ torch }) => torch).find((torch): torch is string => typeof torch === 'string');
  return reason === undefined ? [] : [`PyTorch's times are missing: ${reason}`];
}
