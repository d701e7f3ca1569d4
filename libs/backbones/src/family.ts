/** What a family of backbones is: each of ours is a file of this form, and so is one in a project of its user's. */
import type { Backbone, Classifier } from '@pyramidal/nn';
import type { BackboneSizes } from './stages';

/**
 * A family of backbones: its published sizes, how they are made, and how its weights are recognised.
 * @typeParam Options what one size is made of; `as const satisfies BackboneFamily<Options>` keeps the names of the sizes.
 */
export interface BackboneFamily<Options extends BackboneSizes = BackboneSizes> {
  /** The sizes by name, such as `smt_small`. What a size lists here, its users may change. */
  readonly variants: Readonly<Record<string, Options>>;
  /** @throws Error in one line where a size is impossible. */
  create(options: Options): Backbone;
  /** The family's own classification head; default: the mean over the cells of C5 and a linear layer. */
  createClassifier?(options: Options, classes: number): Classifier;
  /**
   * The name of the weights of each block's first MLP layer, [hidden, channels]; it captures the stage and the block.
   * Weights of other sizes than the published are recognised by it. Default: only published sizes are recognised.
   */
  readonly blockWeights?: RegExp;
}

/** The names of a family's sizes. */
export type VariantOf<Family extends BackboneFamily> = Family extends unknown
  ? Extract<keyof Family['variants'], string>
  : never;
