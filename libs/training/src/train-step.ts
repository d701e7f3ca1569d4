/** One update of a model, from batches to new weights, as a function that compiles to one graph. */
import * as tf from '@tensorflow/tfjs-core';
import { inScope } from '@pyramidal/kernels';
import type { Module, Parameter } from '@pyramidal/nn';
import { compile, type CompiledFunction, type LoadedGraphSummary } from '@pyramidal/graph';
import type { ParameterBlock } from './parameter-block';
import { clipByNorm, globalNorm } from './clip';
import { Ema } from './ema';
import type { Gradients, Optimizer } from './optimizer';
import { BlockState } from './block-state';

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
  /** Precision of the matrix products in compiled steps; default float32. */
  readonly precision?: 'float32' | 'bf16';
}

/** What differs from update to update. */
export interface UpdateOptions {
  /** Counted from 0. */
  readonly update: number;
  readonly lr: number;
  readonly seed: number;
}

/** One optimizer update: forward, backward, clipping, optimizer, averages. */
export interface TrainStep<B extends Batch = Batch> {
  readonly module: Module;
  readonly optimizer: Optimizer;
  readonly ema: Ema | undefined;
  readonly accumulation: number;
  /** What the next update depends on besides the module, by its name in checkpoints. */
  readonly state: ReadonlyMap<string, BlockState>;
  /**
   * Runs one update on `accumulation` batches, which stay the caller's.
   * @returns scalars by name, the caller's to dispose: the losses averaged over the batches (`loss` first), `gradNorm`,
   * the gradient's global norm before clipping, and `weightNorm`, that of the parameters after the update.
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
  const { module, optimizer, clipGradNorm, emaDecay, accumulation = 1 } = options;
  const ema = emaDecay === undefined ? undefined : new Ema(optimizer.blocks, emaDecay);
  const sums = accumulation === 1 ? undefined : BlockState.zeros(optimizer.blocks);
  const differentiate = differentiator(options);

  const addGradients = (inputs: Tensors): Tensors => {
    const { losses, gradients } = differentiate(inputs);
    for (const [block, gradient] of gradients.of) {
      const sum = sums!.of(block);
      sum.assign(tf.add(sum, tf.div(gradient, accumulation)));
    }
    return losses;
  };

  const updateParameters = (inputs: Tensors): Tensors => {
    const { losses, gradients } = differentiate(inputs);
    const total = sums === undefined ? gradients.of : takeSums(sums, gradients.of, accumulation);
    const gradNorm = inScope('gradient-norm', () => globalNorm(total));
    inScope('optimizer', () => {
      const clipped = clipGradNorm === undefined ? total : clipByNorm(total, gradNorm, clipGradNorm);
      optimizer.apply({ ...gradients, of: clipped }, inputs);
    });
    inScope('averages', () => ema?.update());
    return { ...losses, gradNorm, [WEIGHT_NORM]: inScope('weight-norm', () => weightNorm(optimizer)) };
  };

  const state = new Map<string, BlockState>(ema === undefined ? [] : [['ema', ema.averages]]);
  for (const [name, values] of optimizer.state) state.set(`optimizer.${name}`, values);

  const accumulate = asRun(addGradients, options);
  const update = asRun(updateParameters, options);

  const run = (batches: readonly B[], { update: index, lr, seed }: UpdateOptions): Tensors => {
    if (batches.length !== accumulation) {
      throw new Error(`train step: expected ${accumulation} batches, received ${batches.length}`);
    }
    const values = batches.map((batch, i) => {
      const inputs = { ...batch, seed: tf.tensor1d([seed, index * accumulation + i], 'int32') };
      return i < accumulation - 1 ? accumulate(inputs) : update({ ...inputs, ...scalarTensors(optimizer, index, lr) });
    });
    return averaged(values);
  };

  return {
    module,
    optimizer,
    ema,
    accumulation,
    state,
    run: (batches, updateOptions) => tf.tidy(() => run(batches, updateOptions)),
    explain: () => [...accumulate.explain(), ...update.explain()],
    dispose() {
      accumulate.dispose();
      update.dispose();
      for (const values of state.values()) values.dispose();
      sums?.dispose();
      optimizer.dispose?.();
    },
  };
}

function asRun<B extends Batch>(
  fn: (inputs: Tensors) => Tensors,
  { compile: compiled = true, precision = 'float32' }: TrainStepOptions<B>,
): CompiledFunction<Tensors, Tensors> {
  if (compiled) return compile(fn, { name: fn.name, precision });
  return Object.assign((inputs: Tensors) => fn(inputs), { explain: () => [], dispose: () => undefined });
}

interface Derivatives {
  readonly losses: Tensors;
  readonly gradients: Gradients;
}

function differentiator<B extends Batch>({ loss, optimizer }: TrainStepOptions<B>) {
  const variables = [...optimizer.parameters.values()].map(({ variable }) => variable);
  return (inputs: Tensors): Derivatives => {
    let parts: Tensors = {};
    const forward = (): tf.Scalar => {
      const { loss: total, ...others } = loss(inputs as B, inputs['seed'] as tf.Tensor1D);
      // Whatever is made in here ends with this function, and the parts are reported.
      parts = Object.fromEntries(Object.entries(others).map(([name, part]) => [name, tf.keep(tf.clone(part))]));
      return total;
    };
    const { value, grads } = inScope('backward', () => tf.variableGrads(() => inScope('forward', forward), variables));
    const losses = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, tf.clone(part)]));
    Object.values(parts).forEach((part) => part.dispose());
    const gradientOf = (parameter: Parameter): tf.Tensor | undefined => grads[parameter.variable.name];
    const isUnreached = ([, parameter]: [string, Parameter]): boolean => gradientOf(parameter) === undefined;
    const gradients = {
      of: new Map(optimizer.blocks.map((block) => [block, block.join(({ parameter }) => gradientOf(parameter))])),
      unreached: new Set([...optimizer.parameters].filter(isUnreached).map(([name]) => name)),
    };
    return { losses: { loss: value, ...losses }, gradients };
  };
}

/** The name of the value that tells whether an update left numbers behind. */
export const WEIGHT_NORM = 'weightNorm';

/** The norm of all parameters together, as they are now: a float32 scalar, not finite if any of their values is not. */
const weightNorm = ({ blocks }: Optimizer): tf.Scalar =>
  globalNorm(new Map(blocks.map((block) => [block, block.values()])));

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
