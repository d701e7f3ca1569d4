/** Weights to start a training from: what is loaded, drawn anew, left out and reported. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LayerNorm, Linear, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { openCheckpoint } from './checkpoint';
import type { StoredTensor } from './dtype';
import { describeStart, startFromWeights } from './starting-weights';
import { dict, pickle, tensor, torchZip } from './test-files/craft';

class Pyramid extends Module {
  readonly stage1 = new Linear(2, 3);
  readonly stage2 = new LayerNorm(3);
}

class Classifier extends Module {
  protected override readonly officialNames = { pyramid: '' };
  readonly pyramid = new Pyramid();
  readonly head: Linear;
  constructor(classes: number) {
    super();
    this.head = new Linear(3, classes);
  }
}

class Segmentor extends Module {
  protected override readonly officialNames = { decodeHead: 'decode_head' };
  readonly backbone = new Pyramid();
  readonly decodeHead: Module;
  constructor(classes: number, width = 4) {
    super();
    class Head extends Module {
      protected override readonly officialNames = { convSeg: 'conv_seg' };
      readonly fuse = new Linear(3, width);
      readonly convSeg = new Linear(width, classes);
    }
    this.decodeHead = new Head();
  }
}

class Detector extends Module {
  protected override readonly officialNames = { rpnHead: 'rpn_head' };
  readonly backbone = new Pyramid();
  readonly rpnHead = new Linear(3, 1);
}

/** RetinaNet's head, with nine anchors a cell, and a box head that refines boxes class by class. */
class Boxes extends Module {
  protected override readonly officialNames = { bboxHead: 'bbox_head', roiHead: 'roi_head.bbox_head' };
  readonly backbone = new Pyramid();
  readonly bboxHead: Module;
  readonly roiHead: Module;
  constructor(classes: number) {
    super();
    class Retina extends Module {
      protected override readonly officialNames = { cls: 'retina_cls', reg: 'retina_reg' };
      readonly cls = new Linear(3, 9 * classes);
      readonly reg = new Linear(3, 9 * 4);
    }
    class Head extends Module {
      protected override readonly officialNames = { cls: 'fc_cls', reg: 'fc_reg' };
      readonly cls = new Linear(3, classes + 1);
      readonly reg = new Linear(3, 4 * classes);
    }
    this.bboxHead = new Retina();
    this.roiHead = new Head();
  }
}

type Tensors = Map<string, StoredTensor>;

const modules: Module[] = [];
beforeAll(() => openRuntime({ engine: 'cpu' }));
afterEach(() => modules.splice(0).forEach((module) => module.dispose()));

function fresh<M extends Module>(module: M, seed = 1): M {
  module.initialize(seed);
  modules.push(module);
  return module;
}

/** What a file with a model's weights holds. */
const weightsOf = (module: Module, prefix = ''): Tensors =>
  new Map(
    [...fresh(module, 9).state()].map(([name, { torchShape }]) => {
      const data = Float32Array.from({ length: torchShape.reduce((a, b) => a * b, 1) }, (_, i) => i + 1);
      return [prefix + name, { dtype: 'float32', shape: torchShape, data }];
    }),
  );

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  new Map([...tensors].map(([name, value]) => [rename(name), value]));

const told = (module: Module, tensors: Tensors): string[] =>
  describeStart('w.pth', startFromWeights(fresh(module), tensors), module);

const stray: StoredTensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(3n) };
const BACKBONE = ['stage1.weight', 'stage1.bias', 'stage2.weight', 'stage2.bias'];
const backboneOf = (tensors: Tensors): Tensors =>
  new Map([...tensors].filter(([name]) => BACKBONE.includes(name.replace(/^backbone\./, ''))));

describe('startFromWeights', () => {
  it('takes all of a model of the same form', () => {
    expect(told(new Segmentor(3), weightsOf(new Segmentor(3)))).toEqual(['w.pth: 8 tensors loaded']);
  });

  it('tells heads of another number of classes', () => {
    expect(told(new Classifier(3), weightsOf(new Classifier(80)))).toEqual([
      'w.pth: 4 tensors loaded',
      '  drawn anew, of another size: head: 80 classes in the file, 3 here',
    ]);
    expect(told(new Segmentor(3), weightsOf(new Segmentor(150)))).toEqual([
      'w.pth: 6 tensors loaded',
      '  drawn anew, of another size: decode_head.conv_seg: 150 classes in the file, 3 here',
    ]);
  });

  it('tells them of box heads and of anchors too', () => {
    // 80 and 4 have a common divisor: the anchors come from the layer beside.
    expect(told(new Boxes(4), weightsOf(new Boxes(80)))).toEqual([
      'w.pth: 6 tensors loaded',
      ...['bbox_head.retina_cls', 'roi_head.bbox_head.fc_cls', 'roi_head.bbox_head.fc_reg'].map(
        (layer) => `  drawn anew, of another size: ${layer}: 80 classes in the file, 4 here`,
      ),
    ]);
  });

  it('draws other layers of a head anew too, and says their shapes', () => {
    expect(told(new Segmentor(3, 5), weightsOf(new Segmentor(3, 4)))).toContain(
      '  drawn anew, of another size: decode_head.fuse.weight: float32 [4, 3] in the file, float32 [5, 3] here',
    );
  });

  it.each<[string, (tensors: Tensors) => Tensors]>([
    ['alone', (tensors) => tensors],
    ['under backbone.', (tensors) => renamed(tensors, (name) => `backbone.${name}`)],
    ['under module.', (tensors) => renamed(tensors, (name) => `module.${name}`)],
    ['under module., beside a stray tensor', (tensors) => renamed(tensors, (name) => `module.${name}`).set('n', stray)],
    ['under model., beside a stray tensor', (tensors) => renamed(tensors, (name) => `model.${name}`).set('n', stray)],
    ['under module.backbone.', (tensors) => renamed(tensors, (name) => `module.backbone.${name}`)],
  ])('takes a backbone %s into every kind of model', (_, wrap) => {
    const file = wrap(backboneOf(weightsOf(new Classifier(5))));
    const leftOut = file.has('n') ? ['  left out, no place for them here: n'] : [];
    const drawn = (part: string): string => `  drawn anew, not in the file: ${part}`;
    expect(told(new Classifier(3), file)).toEqual(['w.pth: 4 tensors loaded', drawn('head (2)'), ...leftOut]);
    expect(told(new Detector(), file)).toEqual(['w.pth: 4 tensors loaded', drawn('rpn_head (2)'), ...leftOut]);
    expect(told(new Segmentor(3), file)).toEqual(['w.pth: 4 tensors loaded', drawn('decode_head (4)'), ...leftOut]);
  });

  it("takes the backbone of another task's model, and says what is left out", () => {
    expect(told(new Detector(), weightsOf(new Segmentor(3)))).toEqual([
      'w.pth: 4 tensors loaded',
      '  drawn anew, not in the file: rpn_head (2)',
      '  left out, no place for them here: decode_head (4)',
    ]);
  });

  it('refuses a backbone that is not whole, of other shapes, or with more in it', () => {
    const file = weightsOf(new Detector());
    const start = (tensors: Tensors) => (): unknown => startFromWeights(fresh(new Detector()), tensors);
    expect(start(new Map([...file].slice(1)))).toThrow('the weights do not fit: 1 missing (backbone.stage1.weight)');
    const deeper = new Map(file).set('backbone.stage2.1.weight', stray);
    expect(start(deeper)).toThrow('the weights do not fit: 1 unexpected (backbone.stage2.1.weight)');
    const wider = new Map(file).set('backbone.stage2.bias', {
      dtype: 'float32',
      shape: [4],
      data: new Float32Array(4),
    });
    expect(start(wider)).toThrow('1 mis-shaped (backbone.stage2.bias: expected float32 [3], received float32 [4])');
    expect(start(new Map([['x', stray]]))).toThrow('the weights do not fit: 4 missing');
  });
});

describe('entries of a checkpoint', () => {
  const w = tensor({});

  it.each([
    ['ema.module', dict({ ema: dict({ module: dict({ w }) }) })],
    ['model.state_dict', dict({ model: dict({ state_dict: dict({ w }) }), optimizer: dict({ state: dict({ w }) }) })],
    ['model', dict({ model: dict({ w }), ema: dict({ module: dict({ v: w }) }) })],
  ])('are found one level down: %s', (entry, root) => {
    const folder = mkdtempSync(join(tmpdir(), 'entries-'));
    writeFileSync(join(folder, 'w.pth'), torchZip(pickle(root)));
    const file = openCheckpoint(join(folder, 'w.pth'));
    expect([file.entry, ...file.tensors.keys()]).toEqual([entry, 'w']);
    file.close();
    rmSync(folder, { recursive: true });
  });
});
