/** Checks a card: the same numbers as the processor, in every precision, and how fast it is. */
import type { Precision } from '@pyramidal/graph';
import { examineEngine, isInstalled, nvidiaCards, type NvidiaCard } from '@pyramidal/native';
import type { Engine } from '@pyramidal/runtime';
import { chosenAdapter, describeAdapter, isSoftware } from '@pyramidal/webgpu';
import { availableParallelism } from 'node:os';
import { compare, type Comparison } from './compare';
import { type Contender, runWorker, startPeer, startSpeed } from './processes';
import { describeSpeed } from './report';
import type { SpeedAnswer, SpeedTask } from './speed-contender';
import type { SpeedCase } from './works';

export interface CheckOptions extends CheckedCard {
  /** A Python with PyTorch; without it nothing stands beside our times. */
  readonly python: string | undefined;
  /** Says how far it is, in one line. */
  readonly log: (line: string) => void;
}

/** What is checked, and through which engine. */
export interface CheckedCard {
  readonly engine: CardEngine;
  /** What takes the card's place, where there is none: everything is small then. */
  readonly standIn: 'cpu' | undefined;
}

export const CARD_ENGINES = ['tensorflow-gpu', 'webgpu'] as const;
export type CardEngine = (typeof CARD_ENGINES)[number];

/** Times of one network in one precision, with or without XLA; a text says why there are none. */
export interface SpeedRow {
  readonly network: string;
  readonly precision: Precision;
  readonly xla: boolean;
  readonly ours: SpeedAnswer | string;
  readonly torch: SpeedAnswer | string | undefined;
}

export interface CardReport {
  readonly device: string;
  readonly comparisons: readonly Comparison[];
  /** Of processes that ended half-way. */
  readonly faults: readonly string[];
  readonly speeds: readonly SpeedRow[];
}

const PRECISIONS: readonly Precision[] = ['float32', 'bf16', 'fp16'];
const TIMED: readonly Precision[] = ['float32', 'bf16'];

/** As the papers train them, as many images as an update takes at a time. */
const PUBLISHED: readonly SpeedCase[] = [
  { network: 'classifier', backbone: 'groupmixformer_tiny', batch: 64, height: 224, width: 224 },
  { network: 'classifier', backbone: 'groupmixformer_small', batch: 64, height: 224, width: 224 },
  { network: 'mask-rcnn', backbone: 'groupmixformer_tiny', batch: 2, height: 800, width: 1344 },
  { network: 'upernet', backbone: 'groupmixformer_tiny', batch: 4, height: 512, width: 512 },
  { network: 'upernet', backbone: 'groupmixformer_tiny', batch: 4, height: 512, width: 512, layout: 'NHWC' },
];
const TOY: readonly SpeedCase[] = [
  { network: 'classifier', backbone: 'groupmixformer_tiny', batch: 2, height: 64, width: 64 },
  { network: 'mask-rcnn', backbone: 'groupmixformer_tiny', batch: 1, height: 64, width: 64, regions: 16 },
  { network: 'upernet', backbone: 'groupmixformer_tiny', batch: 2, height: 64, width: 64 },
  { network: 'upernet', backbone: 'groupmixformer_tiny', batch: 2, height: 64, width: 64, layout: 'NHWC' },
];
/** How a card is checked. */
interface Plan {
  readonly engine: Engine;
  readonly device: string;
  /** Whether steps run as graphs; without them there is one precision. */
  readonly compiled: boolean;
  readonly cases: readonly SpeedCase[];
  /** Of each measurement. */
  readonly seconds: number;
  /** Networks that get ready side by side. */
  readonly atOnce: number;
}

/** Of a network: a thread that records its graphs beside TensorFlow's own, and the memory of a training step. */
const NEEDS = { cores: 2, memoryMB: 20_000 };

const onCard = (memoryMB: number): Pick<Plan, 'cases' | 'seconds' | 'atOnce'> => {
  const room = Math.min(availableParallelism() / NEEDS.cores, memoryMB / NEEDS.memoryMB);
  return { cases: PUBLISHED, seconds: 2, atOnce: Math.max(1, Math.floor(room)) };
};
const ON_PROCESSOR = { cases: TOY, seconds: 0, atOnce: 1 };

async function planFor({ engine, standIn }: CheckedCard): Promise<Plan> {
  if (standIn !== undefined) {
    const device = 'the processor, in the place of a card';
    return { engine: 'tensorflow', device, compiled: true, ...ON_PROCESSOR };
  }
  if (engine === 'tensorflow-gpu') {
    const [card] = await nvidiaCards();
    return { engine, device: describeCard(card), compiled: true, ...onCard(card?.memoryMB ?? 0) };
  }
  const name = await chosenAdapter();
  const sizes = isSoftware(name) ? ON_PROCESSOR : onCard(0); // nobody tells an adapter's memory
  return { engine, device: describeAdapter(name), compiled: false, ...sizes };
}

/** Why a card cannot be checked, with what to do about it, in one line; undefined where it can. */
export async function whatIsMissing({ engine, standIn }: CheckedCard): Promise<string | undefined> {
  if (standIn === undefined && engine === 'webgpu') {
    return chosenAdapter().then(
      () => undefined,
      (error: Error) => error.message,
    );
  }
  const { subject, good, text } = await examineEngine(standIn === undefined ? 'tensorflow-gpu' : 'tensorflow');
  return good ? undefined : `${subject}: ${text}`;
}

export async function checkCard({ python, log, ...checked }: CheckOptions): Promise<CardReport> {
  const plan = await planFor(checked);
  const { engine, device, compiled, cases, seconds } = plan;
  log(`checking ${device}`);
  const tasks = cases.flatMap((each) =>
    precisionsOf(each, compiled).map((precision) => ({ ...each, engine, precision, seconds, xla: false })),
  );
  const numbers = await checkNumbers(plan, log);
  const speeds = await timeAll(tasks, plan, python, log);
  // Compiling takes longest of all; on a processor, minutes.
  const half = tasks.findIndex(({ precision }) => engine === 'tensorflow-gpu' && precision === 'bf16');
  if (half < 0) return { device, ...numbers, speeds };
  const [ours] = await inTurn([startSpeed({ ...tasks[half]!, xla: true })]);
  const row = { ...speeds[half]!, xla: true, ours: ours! };
  log(describeSpeed(row));
  return { device, ...numbers, speeds: [...speeds, row] };
}

/** As many networks as there is room for get ready side by side, PyTorch's before ours; then each is timed alone. */
async function timeAll(
  tasks: readonly SpeedTask[],
  { atOnce }: Plan,
  python: string | undefined,
  log: CheckOptions['log'],
): Promise<SpeedRow[]> {
  const rows: SpeedRow[] = [];
  for (let first = 0; first < tasks.length; first += atOnce) {
    const together = tasks.slice(first, first + atOnce);
    const torch = python === undefined ? [] : await inTurn(together.map((task) => startPeer(python, task)));
    const ours = await inTurn(together.map(startSpeed));
    for (const [i, { precision, ...task }] of together.entries()) {
      rows.push({ network: nameOf(task), precision, xla: false, ours: ours[i]!, torch: torch[i] });
      log(describeSpeed(rows.at(-1)!));
    }
  }
  return rows;
}

async function inTurn(contenders: readonly Contender[]): Promise<(SpeedAnswer | string)[]> {
  await Promise.all(contenders.map(({ ready }) => ready));
  const answers: (SpeedAnswer | string)[] = [];
  for (const each of contenders) answers.push(await each.time());
  return answers;
}

/** A layout is chosen in graphs alone, and matters in float32: in half width new cards have NHWC anyway. */
function precisionsOf({ layout }: SpeedCase, compiled: boolean): readonly Precision[] {
  if (layout !== undefined) return compiled ? ['float32'] : [];
  return compiled ? TIMED : ['float32'];
}

const describeCard = (card: NvidiaCard | undefined): string =>
  card === undefined
    ? 'a card that nvidia-smi does not name'
    : `${card.name}, ${card.memoryMB} MB, driver ${card.driver}`;

function nameOf({ network, backbone, batch, height, width, layout }: SpeedCase): string {
  const name = network === 'classifier' ? backbone : `${network} ${backbone}`;
  return `${name}, ${batch} of ${width} x ${height}${layout === undefined ? '' : `, convolutions in ${layout}`}`;
}

/** The processor computes every case operation by operation, the card as graphs where it can, in each precision. */
async function checkNumbers(
  { engine, compiled }: Plan,
  log: CheckOptions['log'],
): Promise<Pick<CardReport, 'comparisons' | 'faults'>> {
  const processor = isInstalled('tensorflow') ? 'tensorflow' : 'wasm';
  const precisions = compiled ? PRECISIONS : PRECISIONS.slice(0, 1);
  const kernelsOf = (precision: Precision) => (precision === 'float32' ? 'all' : 'products');
  // Side by side: most of their time processes record graphs, one thread each.
  const [reference, ...received] = await Promise.all([
    runWorker({ engine: processor, compiled: false, precision: 'float32', kernels: 'everything' }),
    ...precisions.map((precision) => runWorker({ engine, compiled, precision, kernels: kernelsOf(precision) })),
  ]);
  log(`${processor} computed ${reference.answers.length} cases to compare with`);
  const faults = reference.fault === undefined ? [] : [`${processor}: ${reference.fault}`];
  const expected = new Map(reference.answers.map((answer) => [keyOf(answer), answer]));
  const comparisons = precisions.flatMap((precision, i) => {
    const { answers, fault } = received[i]!;
    const compared = answers.map((answer) => compare(precision, answer, expected.get(keyOf(answer))));
    const agreed = compared.filter((each) => each.fault === undefined).length;
    log(`${precision}: ${agreed} of ${compared.length} cases agree`);
    if (fault !== undefined) {
      faults.push(`${engine} in ${precision}, after ${answers.length} cases: ${fault}`);
      log(faults.at(-1)!);
    }
    return compared;
  });
  return { comparisons, faults };
}

const keyOf = ({ kind, name }: Pick<Comparison, 'kind' | 'name'>): string => `${kind} ${name}`;
