import { addWithinNorms } from './added-norm';
import { DT_FLOAT, type GraphNode, type TensorType } from './graph-def';

const node = (name: string, op: string, inputs: string[]): GraphNode => ({ name, op, inputs, attrs: {} });

const map: TensorType = { dtype: DT_FLOAT, shape: [1, 2, 8] };
const sum = node('sum', 'Add', ['a:0', 'b:0']);
const rows = node('rows', 'Reshape', ['sum:0', 'shape:0']);
const variables = ['scale', 'offset'].map((name) => node(name, 'ReadVariableOp', [`${name}/handle:0`]));
const norm = (x: string): GraphNode => node('norm', 'PyramidalLayerNorm', [x, 'scale:0', 'offset:0']);

/** What is left of a graph, and where the sum is found. */
function left(nodes: readonly GraphNode[], shapes: Readonly<Record<string, TensorType>> = { 'a:0': map, 'b:0': map }) {
  const { nodes: kept, refOf } = addWithinNorms({ nodes, tensors: new Map(Object.entries(shapes)) });
  return { nodes: kept.map(({ name, op, inputs }) => `${name} = ${op}(${inputs.join(', ')})`), sum: refOf('sum:0') };
}

describe('addWithinNorms', () => {
  const others = ['scale = ReadVariableOp(scale/handle:0)', 'offset = ReadVariableOp(offset/handle:0)'];

  it('makes a sum part of its norm, and gives it to its other readers', () => {
    const readers = [node('more', 'Mul', ['sum:0', 'norm:0']), node('done', 'NoOp', ['^sum'])];
    expect(left([sum, ...variables, norm('sum:0'), ...readers])).toEqual({
      nodes: [
        ...others,
        'norm = PyramidalAddedNorm(a:0, b:0, scale:0, offset:0)',
        'more = Mul(norm:1, norm:0)',
        'done = NoOp(^norm)',
      ],
      sum: 'norm:1',
    });
  });

  it('finds it through a reshape', () => {
    expect(left([sum, rows, ...variables, norm('rows:0')]).nodes).toEqual([
      'rows = Reshape(norm:1, shape:0)',
      ...others,
      'norm = PyramidalAddedNorm(a:0, b:0, scale:0, offset:0)',
    ]);
  });

  it('gives a sum to one norm of several', () => {
    const second = { ...norm('sum:0'), name: 'second' };
    expect(left([sum, ...variables, norm('sum:0'), second]).nodes.slice(2)).toEqual([
      'norm = PyramidalAddedNorm(a:0, b:0, scale:0, offset:0)',
      'second = PyramidalLayerNorm(norm:1, scale:0, offset:0)',
    ]);
  });

  it('leaves sums of other shapes, and norms whose scale is computed', () => {
    const graph = [sum, ...variables, norm('sum:0')];
    expect(left(graph, { 'a:0': map, 'b:0': { ...map, shape: [8] } }).sum).toBe('sum:0');
    expect(left(graph, { 'a:0': map }).sum).toBe('sum:0');
    expect(left([sum, node('scale', 'Mul', ['sum:0', 'c:0']), variables[1]!, norm('sum:0')]).sum).toBe('sum:0');
  });

  it('follows sums of sums', () => {
    const next = [node('sum2', 'AddV2', ['sum:0', 'c:0']), { ...norm('sum2:0'), name: 'norm2' }];
    const shapes = { 'a:0': map, 'b:0': map, 'sum:0': map, 'c:0': map };
    expect(left([sum, ...variables, norm('sum:0'), ...next], shapes).nodes.slice(2)).toEqual([
      'norm = PyramidalAddedNorm(a:0, b:0, scale:0, offset:0)',
      'norm2 = PyramidalAddedNorm(norm:1, c:0, scale:0, offset:0)',
    ]);
  });
});
