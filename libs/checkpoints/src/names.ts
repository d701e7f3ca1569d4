/**
 * Names of weights. Modules here carry the official classifiers' names; detectors and segmentors of OpenMMLab hold a
 * backbone, a neck and heads under prefixes. What the tables below say is all that differs.
 */

import { CheckpointError } from './errors';

/** Prefixes that a wrapper puts before every name: DataParallel, torch.compile, Lightning. */
const WRAPPERS = ['module.', '_orig_mod.', 'model.'];

/** The parts of OpenMMLab models, by the first word of the name. */
export const modelParts = {
  /** MMDetection: two-stage detectors have rpn_head and roi_head, one-stage ones bbox_head. */
  detector: ['backbone', 'neck', 'rpn_head', 'roi_head', 'bbox_head', 'mask_head'],
  /** MMSegmentation */
  segmentor: ['backbone', 'neck', 'decode_head', 'auxiliary_head'],
} as const;

export type ModelKind = keyof typeof modelParts | 'classifier';

/** Keys that official detection and segmentation code names unlike its own classifier. */
const BACKBONE_RENAMES = [
  /** SMT: the depthwise conv on v of its attention. */
  { classifier: '.attn.local_conv.', detector: '.attn.dw_conv.' },
] as const;

/** What only a classifier has: GroupMixFormer's and CoaT's last norms, CoaT's fusion of class tokens, the head. */
const CLASSIFIER_ONLY = /^(norm\d|aggregate|head)\./;

/** Whose shape follows the number of classes. */
const CLASS_HEADS = [
  /^head\.(weight|bias)$/,
  /^(roi_head\.)?bbox_head\.(\d+\.)?(fc_cls|fc_reg|retina_cls)\.(weight|bias)$/,
  /^roi_head\.mask_head\.(\d+\.)?conv_logits\.(weight|bias)$/,
  /^(decode_head|auxiliary_head)\.(conv_seg)\.(weight|bias)$/,
];

/** Kept by PyTorch's training code, of no use to a model here: batch counters, mmcv's averaged copies. */
const TRAINING_LEFTOVERS = [/(^|\.)num_batches_tracked$/, /^ema_/];

type Named<T> = ReadonlyMap<string, T>;

export const isClassHead = (name: string): boolean => CLASS_HEADS.some((pattern) => pattern.test(name));
export const isTrainingLeftover = (name: string): boolean => TRAINING_LEFTOVERS.some((pattern) => pattern.test(name));

/** Takes off what wrappers put before every name. */
export function withoutWrapper<T>(tensors: Named<T>): Named<T> {
  const names = [...tensors.keys()];
  const wrapper = WRAPPERS.find((prefix) => names.length > 0 && names.every((name) => name.startsWith(prefix)));
  return wrapper === undefined ? tensors : withoutWrapper(renamed(tensors, (name) => name.slice(wrapper.length)));
}

/** First words of what training keeps beside the weights: averages of them, and the optimizer's state. */
const AVERAGES = 'ema.';
const TRAINING_STATE = [AVERAGES, 'optimizer.'];

/**
 * The weights in a checkpoint of training here: `model` as trained, or `ema` with the averages where there are any.
 * @returns undefined for another entry, or where the file has no averages.
 */
export function trainedWeights<T>(tensors: Named<T>, entry: string): Named<T> | undefined {
  const names = [...tensors.keys()];
  if (entry !== 'model' && !(entry === 'ema' && names.some((name) => name.startsWith(AVERAGES)))) return undefined;
  const own = [...tensors].filter(([name]) => !TRAINING_STATE.some((prefix) => name.startsWith(prefix)));
  return entry === 'model'
    ? new Map(own)
    : new Map(own.map(([name, tensor]) => [name, tensors.get(AVERAGES + name) ?? tensor]));
}

/** What kind of model a list of names belongs to. */
export function modelKind(names: Iterable<string>): ModelKind {
  const firstWords = new Set(Array.from(names, (name) => name.split('.', 1)[0]!));
  if (firstWords.has('decode_head')) return 'segmentor';
  return modelParts.detector.some((part) => firstWords.has(part)) ? 'detector' : 'classifier';
}

export interface ModelSplit<T> {
  readonly kind: ModelKind;
  /** By part (`backbone`, `neck`, ..), names without the part's prefix. A classifier is all backbone. */
  readonly parts: ReadonlyMap<string, Named<T>>;
  /** Names that belong to no part. */
  readonly rest: Named<T>;
}

/** Splits a model's weights into its parts; backbones get the classifier's names. */
export function splitModel<T>(tensors: Named<T>): ModelSplit<T> {
  const kind = modelKind(tensors.keys());
  if (kind === 'classifier') return { kind, parts: new Map([['backbone', backboneNames(tensors)]]), rest: new Map() };
  const parts = new Map<string, Named<T>>();
  const taken = new Set<string>();
  for (const part of modelParts[kind]) {
    const names = [...tensors.keys()].filter((name) => name.startsWith(`${part}.`));
    if (names.length === 0) continue;
    names.forEach((name) => taken.add(name));
    const own = new Map(names.map((name) => [name.slice(part.length + 1), tensors.get(name)!]));
    parts.set(part, part === 'backbone' ? backboneNames(own) : own);
  }
  return { kind, parts, rest: new Map([...tensors].filter(([name]) => !taken.has(name))) };
}

/** How the weights of a file go by the names of a module, whichever of the two is the whole detector. */
export interface FittedNames<T> {
  /** By the module's names. */
  readonly tensors: Named<T>;
  /** Names of the file that this module has no place for, and rightly so: other parts, classifier heads, counters. */
  readonly ignored: readonly string[];
}

/**
 * Gives the tensors of a file the names of a module: a classifier's backbone for a detector, a detector's backbone
 * for a classifier or a bare backbone, like for like.
 * @param wanted names of the module, as `module.state()` lists them.
 */
export function fitNames<T>(tensors: Named<T>, wanted: ReadonlySet<string>): FittedNames<T> {
  const given = withoutWrapper(tensors);
  const wantsParts = modelKind(wanted) !== 'classifier';
  const { kind, parts, rest } = splitModel(given);
  const backbone = parts.get('backbone') ?? new Map<string, T>();
  if (!wantsParts) return sift(backbone, wanted, kind === 'classifier' ? [] : [...given.keys()].filter(isNotBackbone));
  const prefixed = renamed(backbone, (name) => `backbone.${name}`);
  const heads = [...parts].filter(([part]) => part !== 'backbone');
  const others = heads.flatMap(([part, own]) => [...renamed(own, (name) => `${part}.${name}`)]);
  return sift(new Map([...prefixed, ...others, ...rest]), wanted, []);
}

const isNotBackbone = (name: string): boolean => !name.startsWith('backbone.');

function sift<T>(tensors: Named<T>, wanted: ReadonlySet<string>, ignored: readonly string[]): FittedNames<T> {
  const isSpare = (name: string) =>
    !wanted.has(name) && (isTrainingLeftover(name) || CLASSIFIER_ONLY.test(name.replace(/^backbone\./, '')));
  const spare = [...tensors.keys()].filter(isSpare);
  const kept = new Map([...tensors].filter(([name]) => !isSpare(name)));
  return { tensors: kept, ignored: [...ignored, ...spare] };
}

/** Backbone weights of a detector or segmentor under the names of the official classifier. */
const backboneNames = <T>(tensors: Named<T>): Named<T> =>
  renamed(tensors, (name) =>
    BACKBONE_RENAMES.reduce((result, { classifier, detector }) => result.replace(detector, classifier), name),
  );

/** Names of a model here -> those that official Python code of its kind expects. */
export const officialNames = <T>(tensors: Named<T>): Named<T> =>
  modelKind(tensors.keys()) === 'classifier'
    ? tensors
    : renamed(tensors, (name) =>
        BACKBONE_RENAMES.reduce((result, { classifier, detector }) => result.replace(classifier, detector), name),
      );

function renamed<T>(tensors: Named<T>, rename: (name: string) => string): Named<T> {
  const result = new Map<string, T>();
  for (const [name, tensor] of tensors) {
    const renamed = rename(name);
    if (result.has(renamed)) throw new CheckpointError(`two tensors come to the name ${renamed}`);
    result.set(renamed, tensor);
  }
  return result;
}
