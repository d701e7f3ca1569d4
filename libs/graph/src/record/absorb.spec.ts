import { absorb } from './absorb';
import { DT_FLOAT, type AttrValue, type GraphNode } from './graph-def';

const node = (name: string, op: string, inputs: string[], attrs: Record<string, AttrValue> = {}): GraphNode => ({
  name,
  op,
  inputs,
  attrs,
});

const convAttrs: Record<string, AttrValue> = { windows: { int: 1 }, first: { int: 0 }, activation: { string: 'none' } };
const conv = node('conv', 'PyramidalMixedConv', ['x:0', 'bias:0', 'filter:0'], convAttrs);
const reshape = node('map', 'Reshape', ['conv:0', 'shape:0']);
const gelu = (of: string): GraphNode => node('gelu', 'PyramidalActivation', [of], { activation: { string: 'gelu' } });

/** What is left of a graph. */
function left(nodes: readonly GraphNode[], output: string) {
  const { nodes: kept, refOf } = absorb({ nodes, outputs: [output] });
  return { ops: kept.map(({ op }) => op), output: refOf(output), nodes: kept };
}

describe('absorb', () => {
  it('makes an activation part of what gives its input, through a reshape', () => {
    const { ops, output, nodes } = left([conv, reshape, gelu('map:0')], 'gelu:0');
    expect({ ops, output }).toEqual({ ops: ['PyramidalMixedConv', 'Reshape'], output: 'map:0' });
    expect(nodes[0]?.attrs).toEqual({ ...convAttrs, activation: { string: 'gelu' } });
  });

  it('knows ReLU by its own name', () => {
    const { ops, nodes } = left([conv, node('relu', 'Relu', ['conv:0'], { T: { type: DT_FLOAT } })], 'relu:0');
    expect(ops).toEqual(['PyramidalMixedConv']);
    expect(nodes[0]?.attrs).toEqual({ ...convAttrs, activation: { string: 'relu' } });
    expect(left([node('relu', 'Relu', ['x:0'])], 'relu:0').ops).toEqual(['Relu']);
  });

  it('tells those who read the activation where its value is now', () => {
    const reader = node('sum', 'AddV2', ['gelu:0', 'y:0']);
    const afterwards = node('afterwards', 'NoOp', ['^gelu']);
    const { nodes } = left([conv, reshape, gelu('map:0'), reader, afterwards], 'sum:0');
    expect(nodes.slice(-2).map(({ inputs }) => inputs)).toEqual([['map:0', 'y:0'], ['^map']]);
  });

  it('takes in one activation and no more', () => {
    const again = node('again', 'PyramidalActivation', ['gelu:0'], { activation: { string: 'hard_swish' } });
    expect(left([conv, gelu('conv:0'), again], 'again:0').ops).toEqual(['PyramidalMixedConv', 'PyramidalActivation']);
  });

  it('leaves what others read, or what is fetched', () => {
    const both = ['PyramidalMixedConv', 'PyramidalActivation'];
    const other = node('other', 'Mul', ['gelu:0', 'conv:0']);
    expect(left([conv, gelu('conv:0'), other], 'other:0').ops).toEqual([...both, 'Mul']);
    expect(left([conv, gelu('conv:0')], 'conv:0')).toMatchObject({ ops: both, output: 'conv:0' });
    const afterwards = node('afterwards', 'NoOp', ['^conv']);
    expect(left([conv, gelu('conv:0'), afterwards], 'gelu:0').ops).toEqual([...both, 'NoOp']);
  });
});
