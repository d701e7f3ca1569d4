/** Names of weights between classifiers, detectors and segmentors. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, goldenFolder } from '@pyramidal/testing';
import { fitNames, isClassHead, modelKind, officialNames, splitModel, trainedWeights, withoutWrapper } from './names';

const named = (...names: string[]): Map<string, number> => new Map(names.map((name, index) => [name, index]));
const namesOf = (tensors: ReadonlyMap<string, unknown>): string[] => [...tensors.keys()];

describe('withoutWrapper', () => {
  it('takes off prefixes that all names have, one after the other', () => {
    expect(namesOf(withoutWrapper(named('module.a', 'module.b')))).toEqual(['a', 'b']);
    expect(namesOf(withoutWrapper(named('module._orig_mod.a.w', 'module._orig_mod.b')))).toEqual(['a.w', 'b']);
  });

  it('leaves names that only some share', () => {
    const tensors = named('module.a', 'b');
    expect(withoutWrapper(tensors)).toBe(tensors);
    expect(withoutWrapper(new Map())).toEqual(new Map());
  });
});

describe('trainedWeights', () => {
  const tensors = named('w', 'running_mean', 'ema.w', 'optimizer.exp_avg.w');

  it('are the own tensors, averaged if asked for where there is an average', () => {
    expect(trainedWeights(tensors, 'model')).toEqual(new Map([['w', 0], ['running_mean', 1]])); // prettier-ignore
    expect(trainedWeights(tensors, 'ema')).toEqual(new Map([['w', 2], ['running_mean', 1]])); // prettier-ignore
  });

  it('are not there under other entries, or without averages', () => {
    expect(trainedWeights(tensors, 'teacher')).toBeUndefined();
    expect(trainedWeights(named('w'), 'ema')).toBeUndefined();
  });
});

describe('splitModel', () => {
  it('gives parts without their prefix and what belongs to none', () => {
    const { kind, parts, rest } = splitModel(named('backbone.norm1.weight', 'rpn_head.rpn_cls.bias', 'queue'));
    expect(kind).toBe('detector');
    expect(Object.fromEntries(parts)).toEqual({
      backbone: new Map([['norm1.weight', 0]]),
      rpn_head: new Map([['rpn_cls.bias', 1]]),
    });
    expect(rest).toEqual(new Map([['queue', 2]]));
  });

  it('takes a classifier as a backbone', () => {
    expect(splitModel(named('conv_stem.proj1.weight', 'head.weight'))).toEqual({
      kind: 'classifier',
      parts: new Map([['backbone', named('conv_stem.proj1.weight', 'head.weight')]]),
      rest: new Map(),
    });
  });
});

describe('fitNames', () => {
  const classifier = named('norm1.weight', 'block3.1.attn.local_conv.weight', 'norm4.weight', 'head.weight');
  const detector = named(
    'backbone.norm1.weight',
    'backbone.block3.1.attn.dw_conv.weight',
    'neck.fpn_convs.0.conv.bias',
  );

  it('puts a classifier into a detector', () => {
    const wanted = new Set([
      'backbone.norm1.weight',
      'backbone.block3.1.attn.local_conv.weight',
      'rpn_head.rpn_cls.bias',
    ]);
    const { tensors, ignored } = fitNames(classifier, wanted);
    expect(namesOf(tensors)).toEqual(['backbone.norm1.weight', 'backbone.block3.1.attn.local_conv.weight']);
    expect(ignored).toEqual(['backbone.norm4.weight', 'backbone.head.weight']);
  });

  it("takes a detector's backbone for a bare one or for a classifier", () => {
    const { tensors, ignored } = fitNames(detector, new Set(['norm1.weight', 'block3.1.attn.local_conv.weight']));
    expect(namesOf(tensors)).toEqual(['norm1.weight', 'block3.1.attn.local_conv.weight']);
    expect(ignored).toEqual(['neck.fpn_convs.0.conv.bias']);
  });

  it("gives a segmentor a detector's backbone and nothing else", () => {
    const wanted = new Set(['backbone.norm1.weight', 'decode_head.conv_seg.bias', 'neck.fpn_convs.0.conv.bias']);
    const { tensors, ignored } = fitNames(detector, wanted);
    expect(namesOf(tensors)).toEqual(['backbone.norm1.weight', 'backbone.block3.1.attn.local_conv.weight']);
    expect(ignored).toEqual(['neck.fpn_convs.0.conv.bias']);
  });

  it('leaves like for like, but for batch counters', () => {
    const { tensors, ignored } = fitNames(
      named('module.norm1.weight', 'module.norm1.num_batches_tracked', 'module.extra'),
      new Set(['norm1.weight']),
    );
    expect(namesOf(tensors)).toEqual(['norm1.weight', 'extra']);
    expect(ignored).toEqual(['norm1.num_batches_tracked']);
  });

  it('does not ignore a classifier norm that the module has', () => {
    expect(fitNames(named('norm4.weight'), new Set(['norm4.weight'])).ignored).toEqual([]);
  });

  it('refuses two names that come to the same', () => {
    const both = named('backbone.block3.1.attn.dw_conv.bias', 'backbone.block3.1.attn.local_conv.bias');
    expect(() => splitModel(both)).toThrow('two tensors come to the name block3.1.attn.local_conv.bias');
  });
});

describe('officialNames', () => {
  it.each([
    ['Deformable DETR', 'input_proj.0.0.weight', 'backbone.0.backbone.norm1.weight'],
    ["DINO's authors", 'transformer.enc_out_class_embed.weight', 'backbone.0.norm1.weight'],
    ['detrex', 'neck.convs.0.conv.weight', 'backbone.norm1.weight'],
  ])('hold the backbone where %s has it, and lead back', (_, head, official) => {
    const ours = named('backbone.norm1.weight', head);
    const written = officialNames(ours);
    expect(namesOf(written)).toEqual([official, head]);
    expect(fitNames(written, new Set(ours.keys())).tensors).toEqual(new Map([...ours].reverse()));
  });

  it('are those of SMT in the official detector, and lead back', () => {
    const ours = named('backbone.block3.1.attn.local_conv.weight', 'rpn_head.rpn_cls.bias');
    const official = officialNames(ours);
    expect(namesOf(official)).toEqual(['backbone.block3.1.attn.dw_conv.weight', 'rpn_head.rpn_cls.bias']);
    expect(fitNames(official, new Set(ours.keys())).tensors).toEqual(ours);
  });
});

interface Golden {
  readonly state_dict?: readonly (readonly [name: string, shape: readonly number[]])[];
  readonly tensors?: readonly (readonly [name: string, shape: readonly number[]])[];
  readonly aliases?: Readonly<Record<string, string>>;
}

describeWith(goldenFolder(), 'names of the reference models', (golden) => {
  const read = (folder: string) =>
    readdirSync(join(golden, folder))
      .filter((file) => file.endsWith('.json'))
      .map((file) => [file, JSON.parse(readFileSync(join(golden, folder, file), 'utf8')) as Golden] as const);
  const heads = read('heads').flatMap(([file, { state_dict }]) => (state_dict ? [[file, state_dict] as const] : []));
  const backbones = read('backbones').flatMap(([file, { tensors }]) => (tensors ? [[file, tensors] as const] : []));

  it('are there', () => {
    expect(heads.map(([file]) => file)).toEqual(expect.arrayContaining(['mask_rcnn_infer.json', 'upernet.json']));
    expect(backbones).toHaveLength(16);
  });

  it.each(heads)('%s: every head key belongs to a part', (_, keys) => {
    const { kind, parts, rest } = splitModel(new Map(keys));
    expect(namesOf(rest)).toEqual([]);
    expect(kind).toBe(keys.some(([name]) => name.startsWith('decode_head.')) ? 'segmentor' : 'detector');
    const back = [...parts].flatMap(([part, own]) => [...own].map(([name, shape]) => [`${part}.${name}`, shape]));
    expect(new Map(back as [string, number[]][])).toEqual(new Map(keys));
  });

  it.each(heads)('%s: only class heads have a shape with the number of classes', (_, keys) => {
    const heads = keys.filter(([name]) => isClassHead(name)).map(([name]) => name.replace(/.*\.(\w+)\.\w+$/, '$1'));
    expect(new Set(heads).size).toBeGreaterThan(0);
    for (const head of new Set(heads)) expect(head).toMatch(/^(fc_cls|fc_reg|conv_logits|conv_seg|retina_cls)$/);
  });

  it.each(backbones)('%s: a detector around it and the bare classifier map onto each other completely', (_, keys) => {
    const classifier = new Map(keys);
    const pyramid = new Map(keys.filter(([name]) => !/^(head|aggregate)\./.test(name)));
    const head = heads.find(([file]) => file === 'mask_rcnn_infer.json')![1];
    const ours = new Map([...[...pyramid].map(([name, shape]) => [`backbone.${name}`, shape] as const), ...head]);
    const official = officialNames(ours);
    expect(modelKind(official.keys())).toBe('detector');

    expect(fitNames(official, new Set(ours.keys()))).toEqual({ tensors: ours, ignored: [] });
    const taken = fitNames(official, new Set(pyramid.keys()));
    expect(taken.tensors).toEqual(pyramid);
    expect(taken.ignored).toEqual(head.map(([name]) => name));
    const given = fitNames(classifier, new Set(ours.keys()));
    expect(given.tensors).toEqual(new Map([...ours].filter(([name]) => name.startsWith('backbone.'))));
    expect(given.ignored).toEqual(
      namesOf(classifier)
        .filter((name) => !pyramid.has(name))
        .map((name) => `backbone.${name}`),
    );
  });
});
