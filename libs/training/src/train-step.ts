import * as tf from '@tensorflow/tfjs-core';
import type { Module } from '@pyramidal/nn';
import { clipByNorm, globalNorm } from './clip';
import { Ema } from './ema';
import { zeroSlots, type Optimizer, type Slot } from './optimizer';

/** What a loss reads: tensors of fixed shapes by name. */
export type Batch = tf.NamedTensorMap;

/** The scalar to descend, and under other names its parts, for the log. */
export type Losses = { readonly loss: tf.Scalar } & Readonly<Record<string, tf.Scalar>>;

type StaticFunction = (inputs: tf.NamedTensorMap) => tf.NamedTensorMap;

/** Makes a function of named tensors run as its engine does it best: `compile` of @pyramidal/runtime. */
export type Compile = (
  fn: StaticFunction,
  options: { readonly name: string },
) => { run(inputs: tf.NamedTensorMap): tf.NamedTensorMap; dispose(): void };

const uncompiled: Compile = (fn) => ({ run: fn, dispose: () => undefined });

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
  /** Batches whose gradients are averaged into one update. */
  readonly accumulation?: number;
  /** Without it the step runs operation by operation. */
  readonly compile?: Compile | undefined;
}

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
  /**
   * Runs one update on `accumulation` batches, which stay the caller's.
   * @returns scalars by name, the caller's to dispose: the losses averaged over the batches (`loss` first), and
   * `gradNorm`, the gradient's global norm before clipping.
   */
  run(batches: readonly B[], options: UpdateOptions): tf.NamedTensorMap;
  /** Frees the step, its averages and the optimizer's state; the module stays. */
  dispose(): void;
}

/**
 * Joins a model, its loss and an optimizer to a step that is static as a whole.
 * @throws Error if the loss reaches none of the parameters.
 */
export function trainStep<B extends Batch>(options: TrainStepOptions<B>): TrainStep<B> {
  const { module, optimizer, clipGradNorm, emaDecay, accumulation = 1, compile = uncompiled } = options;
  const ema = emaDecay === undefined ? undefined : new Ema(optimizer.parameters, emaDecay);
  const sums = accumulation === 1 ? undefined : zeroSlots(optimizer.parameters);
  const differentiate = differentiator(options);

  const accumulate = compile(
    (inputs) => {
      const { losses, gradients } = differentiate(inputs);
      for (const [name, gradient] of gradients) {
        const { variable } = sums!.get(name)!;
        variable.assign(tf.add(variable, tf.div(gradient, accumulation)));
      }
      return losses;
    },
    { name: 'accumulation step' },
  );

  const update = compile(
    (inputs) => {
      const { losses, gradients } = differentiate(inputs);
      const total = sums === undefined ? gradients : takeSums(sums, gradients, accumulation);
      const gradNorm = globalNorm(total);
      const clipped = clipGradNorm === undefined ? total : clipByNorm(total, gradNorm, clipGradNorm);
      optimizer.apply(clipped, inputs);
      ema?.update();
      return { ...losses, gradNorm };
    },
    { name: 'training step' },
  );

  const run = (batches: readonly B[], { update: index, lr, seed }: UpdateOptions): tf.NamedTensorMap => {
    if (batches.length !== accumulation) {
      throw new Error(`train step: expected ${accumulation} batches, received ${batches.length}`);
    }
    const values = batches.map((batch, i) => {
      const inputs = { ...batch, seed: tf.tensor1d([seed, index * accumulation + i], 'int32') };
      return i < accumulation - 1
        ? accumulate.run(inputs)
        : update.run({ ...inputs, ...scalarTensors(optimizer, index, lr) });
    });
    return averaged(values);
  };

  return {
    module,
    optimizer,
    ema,
    accumulation,
    run: (batches, updateOptions) => tf.tidy(() => run(batches, updateOptions)),
    dispose() {
      accumulate.dispose();
      update.dispose();
      ema?.dispose();
      optimizer.dispose();
      sums?.forEach(({ variable }) => variable.dispose());
    },
  };
}

interface Derivatives {
  readonly losses: tf.NamedTensorMap;
  /** By parameter name; parameters that the loss does not reach are absent. */
  readonly gradients: Map<string, tf.Tensor>;
}

function differentiator<B extends Batch>({ loss, optimizer }: TrainStepOptions<B>) {
  const variables = [...optimizer.parameters].map(([name, { variable }]) => ({ name, variable }));
  return (inputs: tf.NamedTensorMap): Derivatives => {
    let parts: tf.NamedTensorMap = {};
    const { value, grads } = tf.variableGrads(
      () => {
        const { loss: total, ...others } = loss(inputs as B, inputs['seed'] as tf.Tensor1D);
        // Whatever is made in here ends with this function, and the parts are reported.
        parts = Object.fromEntries(Object.entries(others).map(([name, part]) => [name, tf.keep(tf.clone(part))]));
        return total;
      },
      variables.map(({ variable }) => variable),
    );
    const losses = Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, tf.clone(part)]));
    Object.values(parts).forEach((part) => part.dispose());
    const reached = variables.filter(({ variable }) => grads[variable.name] !== undefined);
    const gradients = new Map(reached.map(({ name, variable }) => [name, grads[variable.name]!]));
    return { losses: { loss: value, ...losses }, gradients };
  };
}

/** Adds the last batch's share to the summed gradients and starts the sums anew. */
function takeSums(
  sums: ReadonlyMap<string, Slot>,
  gradients: ReadonlyMap<string, tf.Tensor>,
  accumulation: number,
): Map<string, tf.Tensor> {
  return new Map(
    [...gradients].map(([name, gradient]) => {
      const { variable } = sums.get(name)!;
      const total = tf.add(variable, tf.div(gradient, accumulation));
      variable.assign(tf.zerosLike(variable));
      return [name, total];
    }),
  );
}

function scalarTensors(optimizer: Optimizer, update: number, lr: number): tf.NamedTensorMap {
  const scalars = Object.entries(optimizer.scalars(update, lr));
  return Object.fromEntries(scalars.map(([name, value]) => [name, tf.scalar(value)]));
}

/** The mean of every value over the batches that have it. */
function averaged(values: readonly tf.NamedTensorMap[]): tf.NamedTensorMap {
  const last = values.at(-1)!;
  if (values.length === 1) return last;
  const mean = (name: string): tf.Tensor => {
    const present = values.flatMap((value) => value[name] ?? []);
    return tf.div(tf.addN(present), present.length);
  };
  return Object.fromEntries(Object.keys(last).map((name) => [name, mean(name)]));
}
