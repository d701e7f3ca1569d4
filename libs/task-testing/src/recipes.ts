/** A task's published trainings: each describes a network and how to train it, and its network learns. */
import { backboneCatalogue, type BackboneSizes, VARIANTS } from '@pyramidal/backbones';
import { loadConfig, openRecipe, type RecipeBook, type RecipeChoice, type SharedConfig, trainingsOf, type z } from '@pyramidal/config'; // prettier-ignore
import type { Backbone, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectScheduleShape, narrowWidths, withoutGradient } from '@pyramidal/testing';
import { createOptimizer, createSchedule } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';

/** What of a configuration is looked at. */
interface RecipeConfig extends SharedConfig {
  readonly model: { readonly backbone: { readonly name: string } };
}

/** What a program's recipes are tested with. */
export interface RecipeSpecs<Config extends RecipeConfig, Network extends Module & { readonly backbone: Backbone }> {
  readonly book: RecipeBook;
  readonly schema: z.ZodType<Config>;
  readonly assemble: (config: Config, classes: number) => Network;
  /** Of the published data set. */
  readonly classes: number;
  /** Overrides that let a toy batch reach every parameter. */
  readonly small?: (config: Config) => readonly string[];
  /** Overrides that make heads narrow without changing what they are made of. */
  readonly narrow?: (config: Config) => readonly string[];
  /** The loss of a toy batch, whose tensors are tidied. */
  readonly loss: (network: Network, config: Config, toy: Toy) => tf.Scalar;
  /** Called when a network has its values. */
  readonly prepare?: (network: Network) => void;
  /** Whether a parameter has nothing to learn from so small a batch, or never. */
  readonly isSilent?: (config: Config, name: string) => boolean;
  /** Of the last rate over the largest one; default 0.02. Undefined for a schedule of another shape, which a spec of its own tells. */
  readonly endBelow?: (training: RecipeChoice, config: Config) => number | undefined;
}

/** Networks in full with the target `test-heavy`; otherwise few blocks of each kind, narrow heads. */
const isHeavy = process.env['PYRAMIDAL_HEAVY'] === '1';

/** What a loss is made with. */
interface Toy {
  readonly classes: number;
  /** Of everything random in the step, int32 [2]. */
  readonly seed: tf.Tensor1D;
}

/** Classes of the toy batches. */
const CLASSES = 7;

/** Describes the recipes of a program. */
export function describeRecipes<Config extends RecipeConfig, Network extends Module & { readonly backbone: Backbone }>(
  specs: RecipeSpecs<Config, Network>,
): void {
  const { book, schema, assemble } = specs;
  const trainings = trainingsOf(book);
  /** Each is read once, and loaded with several settings. */
  const opened = new Map<string, ReturnType<typeof openRecipe>>();
  const load = (training: RecipeChoice, ...set: string[]): Config => {
    const title = titleOf(training);
    const recipe = opened.get(title) ?? openRecipe(book, training);
    opened.set(title, recipe);
    return loadConfig(schema, recipe, { set }).config;
  };
  /** Without drop path, which drops whole blocks in so small a batch. */
  const small = (training: RecipeChoice): Config => {
    const { small: few, narrow } = specs;
    const config = load(training);
    const set = ['model.backbone.dropPath=0', ...(few?.(config) ?? [])];
    return load(training, ...set, ...(isHeavy ? [] : [...narrowBackbone(config), ...(narrow?.(config) ?? [])]));
  };

  describe('published trainings', () => {
    if (isHeavy) jest.setTimeout(600_000);
    beforeAll(async () => {
      await openRuntime();
    });

    it.each(trainings.map((one) => [titleOf(one), one] as const))('%s describes how to train it', (_, training) => {
      const config = load(training);
      const whole = assemble(config, specs.classes);
      expect(whole.parameterCount()).toBeGreaterThan(whole.backbone.parameterCount());
      const network = assemble(small(training), CLASSES);
      network.initialize(1);
      expectWholeOptimizer(network, config);
      network.dispose();
      expectWholeSchedule(config, specs.endBelow === undefined ? 0.02 : specs.endBelow(training, config));
    });

    it.each([...new Set(trainings.map(({ recipe }) => recipe))])('%s takes every published size', (recipe) => {
      for (const backbone of Object.keys(VARIANTS)) {
        const network = assemble(load({ recipe, backbone }), specs.classes);
        expect(network.parameterCount()).toBeGreaterThan(network.backbone.parameterCount());
      }
    });

    const parts = (training: RecipeChoice): readonly string[] => {
      const config = small(training);
      const { backbone, ...heads } = config.model;
      // Sizes of one family that differ in widths and depths alone have parameters of the same names.
      const names = [...assemble(config, CLASSES).backbone.state().keys()];
      return [isHeavy ? backbone : names, heads].map((part) => JSON.stringify(part));
    };

    it.each(coverOf(trainings, parts).map((one) => [titleOf(one), one] as const))(
      'the network of %s learns with every parameter',
      (_, training) => {
        const config = small(training);
        const network = assemble(config, CLASSES);
        network.initialize(1);
        specs.prepare?.(network);
        const toy = { classes: CLASSES, seed: tf.tensor1d([3, 4], 'int32') };
        const silent = withoutGradient(network.parameters(), () => specs.loss(network, config, toy));
        expect(silent.filter((name) => specs.isSilent?.(config, name) !== true)).toEqual([]);
        toy.seed.dispose();
        network.dispose();
      },
    );
  });
}

/** Overrides that leave a backbone few blocks of each kind, and narrow ones. */
function narrowBackbone({ model }: RecipeConfig): string[] {
  const { name } = model.backbone;
  const { channels: published }: BackboneSizes = VARIANTS[name as keyof typeof VARIANTS];
  const channels = narrowWidths(published, (widths) => faultOf({ name, channels: widths }) === undefined);
  return Object.entries({ depths: [1, 1, 2, 2], channels }).map(
    ([key, value]) => `model.backbone.${key}=${JSON.stringify(value)}`,
  );
}

const { faultOf } = backboneCatalogue();

const titleOf = ({ recipe, backbone }: RecipeChoice): string =>
  backbone === undefined ? recipe : `${recipe} on ${backbone}`;

/** Every parameter belongs to a block, and every group of the configuration has some. */
function expectWholeOptimizer(network: Module, { train }: SharedConfig): void {
  const parameters = network.parameters();
  const optimizer = createOptimizer(parameters, train.optimizer);
  expect(optimizer.blocks.flatMap(({ parts }) => parts)).toHaveLength(parameters.size);
  for (const state of optimizer.state.values()) state.dispose();
}

function expectWholeSchedule({ train }: SharedConfig, endBelow: number | undefined): void {
  if (endBelow === undefined) return;
  const UPDATES = 1000; // of an epoch
  const { epochs, iterations, schedule } = train;
  const { lr } = train.optimizer;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const rate = createSchedule(schedule, { lr, length, updatesPerEpoch: UPDATES });
  const updates = iterations ?? UPDATES * epochs!;
  expectScheduleShape(rate, { updates, lr, startLr: schedule.warmup?.startLr ?? lr, endBelow });
}

/**
 * Trainings that bring every part at least once: every kind of backbone, every kind of head with its settings. Heads know of a
 * backbone its levels alone, so that what learns on one learns on the others; backbones are tested by themselves too.
 */
function coverOf(
  trainings: readonly RecipeChoice[],
  partsOf: (training: RecipeChoice) => readonly string[],
): RecipeChoice[] {
  const seen = new Set<string>();
  return trainings.filter((training) => {
    const fresh = partsOf(training).filter((part) => !seen.has(part));
    for (const part of fresh) seen.add(part);
    return fresh.length > 0;
  });
}
