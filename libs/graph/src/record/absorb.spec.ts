import { absorb } from './absorb';
import { DT_FLOAT, type AttrValue, type GraphNode } from './graph-def';

const linearAttrs: Record<string, AttrValue> = {
  biases: { int: 0 },
  norms: { int: 0 },
  residuals: { int: 0 },
  epsilon: { float: 0 },
  activation: { string: 'none' },
};

const node = (name: string, op: string, inputs: string[], attrs: Record<string, AttrValue> = {}): GraphNode => ({
  name,
  op,
  inputs,
  attrs,
});

const linear = node('linear', 'PyramidalLinear', ['x:0', 'w:0'], linearAttrs);
const reshape = node('map', 'Reshape', ['linear:0', 'shape:0']);
const gelu = (of: string): GraphNode => node('gelu', 'PyramidalActivation', [of], { activation: { string: 'gelu' } });

/** What is left of a graph, whose `map`s have the shapes that are given. */
function left(nodes: readonly GraphNode[], output: string, shapes: Record<string, number[]> = {}) {
  const tensors = new Map(Object.entries(shapes).map(([ref, shape]) => [ref, { dtype: DT_FLOAT, shape }]));
  const { nodes: kept, refOf } = absorb({ nodes, tensors, outputs: [output] });
  return { ops: kept.map(({ op }) => op), output: refOf(output), nodes: kept };
}

describe('absorb', () => {
  it('makes an activation part of a layer, through a reshape', () => {
    const { ops, output, nodes } = left([linear, reshape, gelu('map:0')], 'gelu:0');
    expect({ ops, output }).toEqual({ ops: ['PyramidalLinear', 'Reshape'], output: 'map:0' });
    expect(nodes[0]?.attrs['activation']).toEqual({ string: 'gelu' });
  });

  it('makes a ReLU part of a layer', () => {
    const { ops, nodes } = left([linear, node('relu', 'Relu', ['linear:0'], { T: { type: DT_FLOAT } })], 'relu:0');
    expect(ops).toEqual(['PyramidalLinear']);
    expect(nodes[0]?.attrs).toEqual({ ...linearAttrs, activation: { string: 'relu' } });
    expect(left([node('relu', 'Relu', ['x:0'])], 'relu:0').ops).toEqual(['Relu']);
  });

  it('leaves a layer as it is that others read, or that is fetched', () => {
    const other = node('other', 'Mul', ['gelu:0', 'linear:0']);
    expect(left([linear, gelu('linear:0'), other], 'other:0').ops).toEqual([
      'PyramidalLinear',
      'PyramidalActivation',
      'Mul',
    ]);
    expect(left([linear, gelu('linear:0')], 'linear:0').output).toBe('linear:0');
    expect(left([linear, gelu('linear:0')], 'linear:0').ops).toEqual(['PyramidalLinear', 'PyramidalActivation']);
    const afterwards = node('afterwards', 'NoOp', ['^linear']);
    expect(left([linear, gelu('linear:0'), afterwards], 'gelu:0').ops).toContain('PyramidalActivation');
  });

  it('takes in one activation, then a sum, and no more', () => {
    const sum = node('sum', 'AddV2', ['y:0', 'gelu:0']);
    const twice = node('twice', 'AddV2', ['sum:0', 'z:0']);
    const shapes = { 'y:0': [2, 3], 'gelu:0': [2, 3], 'linear:0': [2, 3], 'sum:0': [2, 3], 'z:0': [2, 3] };
    const { ops, output, nodes } = left([linear, gelu('linear:0'), sum, twice], 'twice:0', shapes);
    expect({ ops, output }).toEqual({ ops: ['PyramidalLinear', 'AddV2'], output: 'twice:0' });
    expect(nodes[0]?.inputs).toEqual(['x:0', 'w:0', 'y:0']);
    expect(nodes[1]?.inputs).toEqual(['linear:0', 'z:0']);
    const late = gelu('sum:0');
    const before = node('sum', 'AddV2', ['y:0', 'linear:0']);
    expect(left([linear, before, late], 'gelu:0', shapes).ops).toEqual(['PyramidalLinear', 'PyramidalActivation']);
  });

  it('leaves a sum that broadcasts, and one of a layer with itself', () => {
    const broadcast = node('sum', 'AddV2', ['linear:0', 'y:0']);
    expect(left([linear, broadcast], 'sum:0', { 'linear:0': [2, 3], 'y:0': [3] }).ops).toEqual([
      'PyramidalLinear',
      'AddV2',
    ]);
    const itself = node('sum', 'AddV2', ['linear:0', 'linear:0']);
    expect(left([linear, itself], 'sum:0', { 'linear:0': [2, 3] }).ops).toEqual(['PyramidalLinear', 'AddV2']);
  });

  it('makes the norm of one map part of a layer, once', () => {
    const norm = (name: string, of: string): GraphNode =>
      node(name, 'PyramidalBatchNorm', [of, 's:0', 'o:0', 'm:0', 'v:0'], {
        maps: { int: 1 },
        epsilon: { float: 1e-5 },
        activation: { string: 'none' },
      });
    const { ops, nodes } = left([linear, norm('norm', 'linear:0'), gelu('norm:0')], 'gelu:0');
    expect(ops).toEqual(['PyramidalLinear']);
    expect(nodes[0]).toMatchObject({
      inputs: ['x:0', 'w:0', 's:0', 'o:0', 'm:0', 'v:0'],
      attrs: { norms: { int: 1 }, epsilon: { float: 1e-5 }, activation: { string: 'gelu' }, residuals: { int: 0 } },
    });
    expect(left([linear, norm('norm', 'linear:0'), norm('again', 'norm:0')], 'again:0').ops).toEqual([
      'PyramidalLinear',
      'PyramidalBatchNorm',
    ]);
  });
});
