/** One update of a model, from batches to new weights, as a function that compiles to one graph. */
import * as tf from '@tensorflow/tfjs-core';
import { inScope, overWorkers } from '@pyramidal/kernels';
import type { Module, Parameter } from '@pyramidal/nn';
import {
  compile,
  type CompiledFunction,
  type LoadedGraphSummary,
  type Precision,
  type SessionConfig,
} from '@pyramidal/graph';
import type { ParameterBlock } from './parameter-block';
import { clipByNorm, globalNorm } from './clip';
import { Ema } from './ema';
import { LossScale, type LossScaleOptions } from './loss-scale';
import type { Gradients, Optimizer } from './optimizer';
import { BlockState } from './block-state';
import { TrainingError } from './training-error';

type Tensors = tf.NamedTensorMap;

/** What a loss reads: tensors of fixed shapes by name; the name `seed` is taken. */
export type Batch = Tensors;

/** The scalar to descend, and under other names its parts, for the log. */
export type Losses = { readonly loss: tf.Scalar } & Readonly<Record<string, tf.Scalar>>;

/** What a step joins: model, loss, optimizer, and how it updates. */
export interface TrainStepOptions<B extends Batch> {
  readonly module: Module;
  /**
   * The loss of one batch. Static: no reading of values, no randomness but what `seed` (int32 [2]) gives, so that the
   * step can be recorded once and replayed.
   */
  readonly loss: (batch: B, seed: tf.Tensor1D) => Losses;
  readonly optimizer: Optimizer;
  /** Largest global norm of the gradient. */
  readonly clipGradNorm?: number | undefined;
  /** Keeps a moving average of the parameters. */
  readonly emaDecay?: number | undefined;
  /** Batches whose gradients are averaged into one update; default 1. */
  readonly accumulation?: number;
  /** Record the step once and replay it as one graph on engines that can (default), or run each operation anew. */
  readonly compile?: boolean;
  /** The width of matrix products and convolutions in compiled steps; default float32. fp16 scales the loss. */
  readonly precision?: Precision;
  /** Whether XLA compiles what it knows of the recorded step, at its first run; default false. */
  readonly xla?: boolean;
  /** Scales the loss, whatever the precision; with its defaults for fp16, not at all for others unless given. */
  readonly lossScale?: LossScaleOptions | undefined;
  /** The processes that run the step together; this one alone by default. */
  readonly workers?: StepWorkers | undefined;
  /** Options of the sessions that a compiled step runs in; those of `workers` go before them. */
  readonly session?: SessionConfig;
}

/** What a step of several processes needs to know. */
export interface StepWorkers {
  /** What `joinCluster` of `@pyramidal/graph` gives. */
  readonly session: SessionConfig;
  /** The two numbers that a batch's random draws come from, by the run's seed and the number of the batch among this process's. */
  readonly seedOf: (seed: number, batch: number) => readonly [number, number];
  /** Bytes of gradients that go over the network together. */
  readonly bucketBytes?: number | undefined;
}

/** What differs from update to update. */
export interface UpdateOptions {
  /** Counted from 0. */
  readonly update: number;
  readonly lr: number;
  readonly seed: number;
  /** Of several processes: whether this one was asked to stop, which `stops` tells all. */
  readonly stop?: boolean;
}

/** One optimizer update: forward, backward, clipping, optimizer, averages. */
export interface TrainStep<B extends Batch = Batch> {
  readonly module: Module;
  readonly optimizer: Optimizer;
  readonly ema: Ema | undefined;
  readonly lossScale: LossScale | undefined;
  readonly accumulation: number;
  /** What the next update depends on besides the module, by its name in checkpoints. */
  readonly state: ReadonlyMap<string, BlockState>;
  /**
   * Runs one update on `accumulation` batches, which stay the caller's.
   * @returns scalars by name, the caller's to dispose: the losses averaged over the batches (`loss` first), `gradNorm`,
   * the gradient's global norm before clipping, and `weightNorm`, that of the parameters after the update. Of several
   * processes they are the means over all of them, and `stops` is the share of those that were asked to stop. Where the
   * loss is scaled, `lossScale` is the factor, and `skipped` is 1 for an update whose gradients were not finite.
   */
  run(batches: readonly B[], options: UpdateOptions): Tensors;
  /** What was recorded: one entry for each graph, none where nothing is compiled. */
  explain(): LoadedGraphSummary[];
  /** Frees the step, its averages and the optimizer's state; the module stays. */
  dispose(): void;
}

/**
 * Joins a model, its loss and an optimizer to a step that is static as a whole.
 * @throws Error if the loss reaches none of the parameters.
 */
export function trainStep<B extends Batch>(options: TrainStepOptions<B>): TrainStep<B> {
  const { module, optimizer, clipGradNorm, emaDecay, accumulation = 1, workers, precision = 'float32' } = options;
  const need = whyCompiled(options);
  if (need !== undefined && options.compile === false) {
    throw new TrainingError(`a step ${need} has to be compiled`, 2);
  }
  const seedOf = workers?.seedOf ?? ((seed: number, batch: number) => [seed, batch] as const);
  const ema = emaDecay === undefined ? undefined : new Ema(optimizer.blocks, emaDecay);
  const sums = accumulation === 1 ? undefined : BlockState.zeros(optimizer.blocks);
  const isScaled = options.lossScale !== undefined || precision === 'fp16';
  const scaling = isScaled ? new LossScale(options.lossScale) : undefined;
  const differentiate = differentiator(options, scaling);

  const addGradients = (inputs: Tensors): Tensors => {
    const { losses, gradients } = differentiate(inputs);
    for (const [block, gradient] of gradients.of) {
      const sum = sums!.of(block);
      sum.assign(tf.add(sum, tf.div(gradient, accumulation)));
    }
    return inScope('all-reduce', () => agree(losses));
  };

  const updateParameters = (inputs: Tensors): Tensors => {
    const { losses, gradients, statistics } = differentiate(inputs);
    const own = sums === undefined ? gradients.of : takeSums(sums, gradients.of, accumulation);
    const reduced = inScope('all-reduce', () => meanGradients(own, workers?.bucketBytes));
    const mean = scaling?.unscaled(reduced) ?? reduced;
    const norm = inScope('gradient-norm', () => globalNorm(mean));
    const { [STOP]: stops } = inputs;
    const told = { ...losses, gradNorm: norm, ...(stops && { stops }) };
    const { gradNorm, ...values } = inScope('all-reduce', () => agree(told, statistics));
    const verdict = scaling?.judge(gradNorm as tf.Scalar);
    const total = verdict === undefined ? mean : zeroUnless(verdict.applies, mean);
    inScope('optimizer', () => {
      const length = verdict?.norm ?? (gradNorm as tf.Scalar);
      const clipped = clipGradNorm === undefined ? total : clipByNorm(total, length, clipGradNorm);
      optimizer.apply({ ...gradients, of: clipped }, inputs, verdict?.applies);
    });
    inScope('averages', () => ema?.update(verdict?.applies));
    const weights = inScope('weight-norm', () => weightNorm(optimizer));
    return { ...values, gradNorm: gradNorm!, ...verdict?.told, [WEIGHT_NORM]: weights };
  };

  const state = new Map<string, BlockState>(ema === undefined ? [] : [['ema', ema.averages]]);
  for (const [name, values] of optimizer.state) state.set(`optimizer.${name}`, values);

  const accumulate = asRun(addGradients, options);
  const update = asRun(updateParameters, options);

  const run = (batches: readonly B[], { update: index, lr, seed, stop = false }: UpdateOptions): Tensors => {
    if (batches.length !== accumulation) {
      throw new Error(`train step: expected ${accumulation} batches, received ${batches.length}`);
    }
    const values = batches.map((batch, i) => {
      const inputs = { ...batch, seed: tf.tensor1d([...seedOf(seed, index * accumulation + i)], 'int32') };
      if (i < accumulation - 1) return accumulate(inputs);
      const asked = workers && { [STOP]: tf.scalar(stop ? 1 : 0) };
      return update({ ...inputs, ...asked, ...scalarTensors(optimizer, index, lr) });
    });
    return averaged(values);
  };

  return {
    module,
    optimizer,
    ema,
    lossScale: scaling,
    accumulation,
    state,
    run: (batches, updateOptions) => tf.tidy(() => run(batches, updateOptions)),
    explain: () => [...accumulate.explain(), ...update.explain()],
    dispose() {
      accumulate.dispose();
      update.dispose();
      for (const values of state.values()) values.dispose();
      sums?.dispose();
      scaling?.dispose();
      optimizer.dispose?.();
    },
  };
}

/** What of a step only graphs have. */
function whyCompiled({ precision = 'float32', xla, workers }: TrainStepOptions<never>): string | undefined {
  if (precision !== 'float32') return `in ${precision}`;
  if (xla) return 'with XLA';
  return workers && 'of several processes';
}

/** As many as the canvases of a training are, each with few and with many rows of objects. */
const MOST_GRAPHS = 32;

function asRun<B extends Batch>(
  fn: (inputs: Tensors) => Tensors,
  { compile: compiled = true, precision = 'float32', xla = false, workers, session: given }: TrainStepOptions<B>,
): CompiledFunction<Tensors, Tensors> {
  const session = { ...given, ...workers?.session, ...(xla && { xla }) };
  if (compiled) return compile(fn, { name: fn.name, precision, maxGraphs: MOST_GRAPHS, session });
  return Object.assign((inputs: Tensors) => fn(inputs), { explain: () => [], dispose: () => undefined });
}

interface Derivatives {
  readonly losses: Tensors;
  readonly gradients: Gradients;
  /** Running statistics that the forward pass moved. */
  readonly statistics: readonly tf.Variable[];
}

function differentiator<B extends Batch>(
  { module, loss, optimizer }: TrainStepOptions<B>,
  scaling: LossScale | undefined,
) {
  const variables = [...optimizer.parameters.values()].map(({ variable }) => variable);
  const buffers = [...module.buffers().values()].map(({ variable }) => variable);
  return (inputs: Tensors): Derivatives => {
    const before = buffers.map(({ dataId }) => dataId);
    let parts: Tensors = {};
    const forward = (): tf.Scalar => {
      const { loss: total, ...others } = loss(inputs as B, inputs['seed'] as tf.Tensor1D);
      // Whatever is made in here ends with this function, and all of it is reported.
      const told = Object.entries({ loss: total, ...others });
      parts = Object.fromEntries(told.map(([name, part]) => [name, tf.keep(tf.clone(part))]));
      return scaling?.scaled(total) ?? total;
    };
    const { grads } = inScope('backward', () => tf.variableGrads(() => inScope('forward', forward), variables));
    const losses = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, tf.clone(part)]));
    Object.values(parts).forEach((part) => part.dispose());
    const gradientOf = (parameter: Parameter): tf.Tensor | undefined => grads[parameter.variable.name];
    const isUnreached = ([, parameter]: [string, Parameter]): boolean => gradientOf(parameter) === undefined;
    const gradients = {
      of: new Map(optimizer.blocks.map((block) => [block, block.join(({ parameter }) => gradientOf(parameter))])),
      unreached: new Set([...optimizer.parameters].filter(isUnreached).map(([name]) => name)),
    };
    const statistics = buffers.filter(({ dataId }, i) => dataId !== before[i]);
    return { losses, gradients, statistics };
  };
}

/** The name of the value that tells whether an update left numbers behind. */
export const WEIGHT_NORM = 'weightNorm';

/** The norm of all parameters together, as they are now: a float32 scalar, not finite if any of their values is not. */
const weightNorm = ({ blocks }: Optimizer): tf.Scalar =>
  globalNorm(new Map(blocks.map((block) => [block, block.values()])));

/** The input by which a process asks all to stop. */
const STOP = 'stop';

/** Gradients that may be counted with, where these are not finite. */
function zeroUnless<K>(applies: tf.Tensor, gradients: ReadonlyMap<K, tf.Tensor>): Map<K, tf.Tensor> {
  return new Map([...gradients].map(([key, gradient]) => [key, tf.where(applies, gradient, tf.zerosLike(gradient))]));
}

/** The mean of every process's gradients: the last layers' first, which the backward pass has first. */
function meanGradients(gradients: Gradients['of'], bucketBytes?: number): Map<ParameterBlock, tf.Tensor> {
  const single = [...gradients].filter(([{ parts }]) => parts.length === 1).reverse();
  const joined = [...gradients].filter(([{ parts }]) => parts.length > 1);
  const order = [...single, ...joined];
  const means = overWorkers.all(order.map(([, gradient]) => gradient), 'mean', bucketBytes); // prettier-ignore
  const meanOf = new Map(order.map(([block], i) => [block, means[i]!]));
  return new Map([...gradients.keys()].map((block) => [block, meanOf.get(block)!]));
}

/** The means of scalars over all processes, and of statistics, which get them; in one transfer. */
function agree(scalars: Tensors, statistics: readonly tf.Variable[] = []): Tensors {
  if (overWorkers.processes() === 1) return scalars;
  const names = Object.keys(scalars);
  const all = [...names.map((name) => scalars[name]!), ...statistics];
  const means = overWorkers.all(all, 'mean', Infinity);
  statistics.forEach((variable, i) => variable.assign(means[names.length + i]!));
  return Object.fromEntries(names.map((name, i) => [name, means[i]!]));
}

/** Adds the last batch's share to the summed gradients and starts the sums anew. */
function takeSums(sums: BlockState, gradients: Gradients['of'], accumulation: number): Map<ParameterBlock, tf.Tensor> {
  return new Map(
    [...gradients].map(([block, gradient]) => {
      const sum = sums.of(block);
      const total = tf.add(sum, tf.div(gradient, accumulation));
      sum.assign(tf.zerosLike(sum));
      return [block, total];
    }),
  );
}

function scalarTensors(optimizer: Optimizer, update: number, lr: number): Tensors {
  const scalars = Object.entries(optimizer.scalars(update, lr));
  return Object.fromEntries(scalars.map(([name, value]) => [name, tf.scalar(value)]));
}

/** The mean of every value over the batches that have it. */
function averaged(values: readonly Tensors[]): Tensors {
  const last = values.at(-1)!;
  if (values.length === 1) return last;
  const mean = (name: string): tf.Tensor => {
    const present = values.flatMap((value) => value[name] ?? []);
    return tf.div(tf.addN(present), present.length);
  };
  return Object.fromEntries(Object.keys(last).map((name) => [name, mean(name)]));
}
