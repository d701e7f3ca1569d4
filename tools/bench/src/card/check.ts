/** Checks a card: the same numbers as the processor, in every precision, and how fast it is. */
import type { Precision } from '@pyramidal/graph';
import { examineEngine, isInstalled, nvidiaCards, type NvidiaCard } from '@pyramidal/native';
import type { Engine } from '@pyramidal/runtime';
import { chosenAdapter, describeAdapter, isSoftware } from '@pyramidal/webgpu';
import { compare, type Comparison } from './compare';
import { runPeer, runSpeed, runWorker } from './processes';
import { describeSpeed } from './report';
import type { SpeedAnswer } from './speed-contender';
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
  { network: 'mask-rcnn', backbone: 'groupmixformer_tiny', batch: 1, height: 64, width: 64 },
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
}

const AT_PUBLISHED_SIZES = { cases: PUBLISHED, seconds: 2 };
const AT_TOY_SIZES = { cases: TOY, seconds: 0 };

async function planFor({ engine, standIn }: CheckedCard): Promise<Plan> {
  if (standIn !== undefined) {
    const device = 'the processor, in the place of a card';
    return { engine: 'tensorflow', device, compiled: true, ...AT_TOY_SIZES };
  }
  if (engine === 'tensorflow-gpu') {
    return { engine, device: describeCard((await nvidiaCards())[0]), compiled: true, ...AT_PUBLISHED_SIZES };
  }
  const name = await chosenAdapter();
  const sizes = isSoftware(name) ? AT_TOY_SIZES : AT_PUBLISHED_SIZES;
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
  const numbers = await checkNumbers(plan, log);
  const speeds: SpeedRow[] = [];
  const add = (row: SpeedRow): void => {
    speeds.push(row);
    log(describeSpeed(row));
  };
  for (const each of cases) {
    for (const precision of precisionsOf(each, compiled)) {
      const task = { ...each, engine, precision, seconds, xla: false };
      const torch = python === undefined ? undefined : await runPeer(python, task);
      add({ network: nameOf(each), precision, xla: false, ours: await runSpeed(task), torch });
    }
  }
  // Compiling takes longest of all; on a processor, minutes.
  const [first] = cases;
  if (engine === 'tensorflow-gpu' && first !== undefined) {
    const task = { ...first, engine, precision: 'bf16', seconds, xla: true } as const;
    const without = speeds.find(({ network, precision }) => network === nameOf(first) && precision === task.precision);
    add({ ...without!, xla: true, ours: await runSpeed(task) });
  }
  return { device, ...numbers, speeds };
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
    if (fault !== undefined) faults.push(`${engine} in ${precision}, after ${answers.length} cases: ${fault}`);
    log(
      `${precision}: ${compared.filter((each) => each.fault === undefined).length} of ${compared.length} cases agree`,
    );
    return compared;
  });
  return { comparisons, faults };
}

const keyOf = ({ kind, name }: Pick<Comparison, 'kind' | 'name'>): string => `${kind} ${name}`;
