/**
 * Names of weights. Modules here carry the official classifiers' names; detectors and segmentors of OpenMMLab hold a
 * backbone, a neck and heads under prefixes. What `name-tables` says is all that differs.
 */
import { CheckpointError } from './errors';
import {
  AVERAGES,
  BACKBONE_PREFIXES,
  BACKBONE_RENAMES,
  CLASS_HEADS,
  CLASSIFIER_ONLY,
  MODEL_PARTS,
  TRAINING_LEFTOVERS,
  TRAINING_STATE,
  PARALLEL_WRAPPERS,
  WRAPPERS,
  type ModelKind,
} from './name-tables';

type Named<T> = ReadonlyMap<string, T>;

export const isClassHead = (name: string): boolean => CLASS_HEADS.some((pattern) => pattern.test(name));
const isTrainingLeftover = (name: string): boolean => TRAINING_LEFTOVERS.some((pattern) => pattern.test(name));

export const isClassifierOnly = (name: string): boolean => CLASSIFIER_ONLY.test(name);

/** More layers than this are no wrappers. */
const MAX_WRAPPERS = 8;

/**
 * Takes off what wrappers put before every name; that of parallel training also where it stands before most of them,
 * beside a counter of averages and the like.
 */
export function withoutWrapper<T>(tensors: Named<T>): Named<T> {
  const own = withoutCommonWrapper(tensors);
  const names = [...own.keys()];
  const wrapper = PARALLEL_WRAPPERS.find(
    (prefix) => 2 * names.filter((name) => name.startsWith(prefix)).length > names.length,
  );
  if (wrapper === undefined) return own;
  return withoutCommonWrapper(stripped(own, wrapper));
}

const stripped = <T>(tensors: Named<T>, prefix: string): Named<T> =>
  renamed(tensors, (name) => (name.startsWith(prefix) ? name.slice(prefix.length) : name));

function withoutCommonWrapper<T>(tensors: Named<T>): Named<T> {
  const names = [...tensors.keys()];
  if (names.length === 0) return tensors;
  let length = 0;
  for (let layers = 0; layers < MAX_WRAPPERS; layers++) {
    const wrapper = WRAPPERS.find((prefix) => names.every((name) => name.startsWith(prefix, length)));
    if (wrapper === undefined) break;
    length += wrapper.length;
  }
  return length === 0 ? tensors : renamed(tensors, (name) => name.slice(length));
}

/**
 * The weights in a checkpoint of training here: `model` as trained, or `ema` with the averages where there are any.
 * @returns undefined for another entry, or where the file has no averages.
 */
export function trainedWeights<T>(tensors: Named<T>, entry: string): Named<T> | undefined {
  if (entry === 'model') return modelWeights(tensors);
  return entry === 'ema' && hasAverages(tensors) ? finalWeights(tensors) : undefined;
}

const hasAverages = (tensors: Named<unknown>): boolean => [...tensors.keys()].some((name) => name.startsWith(AVERAGES));

/** The weights as trained: without the averages and the optimizer's state that training here keeps beside them. */
export function modelWeights<T>(tensors: Named<T>): Named<T> {
  return new Map([...tensors].filter(([name]) => !TRAINING_STATE.some((prefix) => name.startsWith(prefix))));
}

/** The weights to run: in a checkpoint of training here the averages where it has them; else the weights as trained. */
export function finalWeights<T>(tensors: Named<T>): Named<T> {
  return new Map([...modelWeights(tensors)].map(([name, own]) => [name, tensors.get(AVERAGES + name) ?? own]));
}

/** What kind of model a list of names belongs to. */
export function modelKind(names: Iterable<string>): ModelKind {
  const firstWords = new Set(Array.from(names, (name) => name.split('.', 1)[0]!));
  if (firstWords.has('decode_head')) return 'segmentor';
  return MODEL_PARTS.detector.some((part) => firstWords.has(part)) ? 'detector' : 'classifier';
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
  for (const part of MODEL_PARTS[kind]) {
    const names = [...tensors.keys()].filter((name) => name.startsWith(`${part}.`));
    if (names.length === 0) continue;
    names.forEach((name) => taken.add(name));
    const prefix = part === 'backbone' ? backbonePrefix(names) : `${part}.`;
    const own = new Map(names.map((name) => [name.slice(prefix.length), tensors.get(name)!]));
    parts.set(part, part === 'backbone' ? backboneNames(own) : own);
  }
  return { kind, parts, rest: new Map([...tensors].filter(([name]) => !taken.has(name))) };
}

/** What stands before every name of a backbone. */
function backbonePrefix(names: readonly string[]): string {
  const prefixes = BACKBONE_PREFIXES.map(({ prefix }) => prefix).sort((a, b) => b.length - a.length);
  return prefixes.find((prefix) => names.every((name) => name.startsWith(prefix))) ?? 'backbone.';
}

/** How the weights of a file go by the names of a module, whichever of the two is the whole detector. */
interface FittedNames<T> {
  /** By the module's names. */
  readonly tensors: Named<T>;
  /** Names of the file that this module has no place for, and rightly so: other parts, classifier heads, counters. */
  readonly ignored: readonly string[];
}

/**
 * Gives the tensors of a file the names of a module: all of them where both are models of one kind, else the backbone
 * that a classifier, a detector and a segmentor have in common.
 * @param wanted names of the module, as `module.state()` lists them.
 */
export function fitNames<T>(tensors: Named<T>, wanted: ReadonlySet<string>): FittedNames<T> {
  const given = withoutStrayWrapper(withoutWrapper(tensors), wanted);
  const wantedKind = modelKind(wanted);
  const { kind, parts, rest } = splitModel(given);
  const isSameKind = kind === wantedKind;
  const fitted = new Map(isSameKind ? rest : []);
  for (const [part, own] of parts) {
    if (!isSameKind && part !== 'backbone') continue;
    const prefix = wantedKind === 'classifier' ? '' : `${part}.`;
    for (const [name, tensor] of own) fitted.set(prefix + name, tensor);
  }
  const otherParts = isSameKind || kind === 'classifier' ? [] : [...given.keys()].filter(isNotBackbone);
  return sift(fitted, wanted, otherParts);
}

/** Takes off the wrapper that hides most of the wanted names, where some of the file's names are without it. */
function withoutStrayWrapper<T>(tensors: Named<T>, wanted: ReadonlySet<string>): Named<T> {
  const unprefixed = (name: string): string => name.replace(/^backbone\./, '');
  const known = new Set([...wanted].map(unprefixed));
  const matches = (names: Iterable<string>): number => [...names].filter((name) => known.has(unprefixed(name))).length;
  let best = { tensors, count: matches(tensors.keys()) };
  for (const prefix of WRAPPERS) {
    const under = [...tensors.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
    const count = matches(under);
    if (count > best.count) best = { tensors: stripped(tensors, prefix), count };
  }
  return best.tensors;
}

const isNotBackbone = (name: string): boolean => !name.startsWith('backbone.');

/** Takes out what a module has no place for as a matter of course. */
function sift<T>(tensors: Named<T>, wanted: ReadonlySet<string>, otherParts: readonly string[]): FittedNames<T> {
  const isSpare = (name: string) =>
    !wanted.has(name) && (isTrainingLeftover(name) || CLASSIFIER_ONLY.test(name.replace(/^backbone\./, '')));
  const spare = [...tensors.keys()].filter(isSpare);
  const kept = new Map([...tensors].filter(([name]) => !isSpare(name)));
  return { tensors: kept, ignored: [...otherParts, ...spare] };
}

/** Backbone weights of a detector or segmentor under the names of the official classifier. */
const backboneNames = <T>(tensors: Named<T>): Named<T> =>
  renamed(tensors, (name) =>
    BACKBONE_RENAMES.reduce((result, { classifier, detector }) => result.replace(detector, classifier), name),
  );

/** Names of a model here -> those that official Python code of its kind expects. */
export function officialNames<T>(tensors: Named<T>): Named<T> {
  if (modelKind(tensors.keys()) === 'classifier') return tensors;
  const prefix = BACKBONE_PREFIXES.find(({ tells }) => tensors.has(tells))?.prefix ?? 'backbone.';
  return renamed(tensors, (name) =>
    BACKBONE_RENAMES.reduce((result, { classifier, detector }) => result.replace(classifier, detector), name).replace(
      /^backbone\./,
      prefix,
    ),
  );
}

function renamed<T>(tensors: Named<T>, rename: (name: string) => string): Named<T> {
  const result = new Map<string, T>();
  for (const [name, tensor] of tensors) {
    const renamed = rename(name);
    if (result.has(renamed)) throw new CheckpointError(`two tensors come to the name ${renamed}`);
    result.set(renamed, tensor);
  }
  return result;
}
