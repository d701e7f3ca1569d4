import { factLines } from './fact-lines';

describe('factLines', () => {
  it('gives a text a line, a configuration its own, and a record one for each member', () => {
    expect(factLines('format', 'pt')).toEqual(['format: pt']);
    expect(factLines('config', 'train:\n  epochs: 1\n')).toEqual(['config:', '  train:', '    epochs: 1']);
    const model = {
      format: 1,
      task: 'detection',
      classes: [
        { id: 3, name: 'cat' },
        { id: 7, name: 'dog' },
      ],
      metrics: { AP: 0.5 },
    };
    expect(factLines('model', JSON.stringify(model))).toEqual([
      'model:',
      '  format: 1',
      '  task: detection',
      '  classes:',
      '    {"id":3,"name":"cat"}',
      '    {"id":7,"name":"dog"}',
      '  metrics: {"AP":0.5}',
    ]);
  });

  it('shows what is no record as it is, without control characters, and not for ever', () => {
    expect(factLines('model', '{ "a": ')).toEqual(['model: { "a": ']);
    expect(factLines('a\u001b[2J', 'x\u0007')).toEqual(['a [2J: x ']);
    const lines = factLines('log', Array(5000).fill('x').join('\n'));
    expect(lines).toHaveLength(2002);
    expect(lines.at(-1)).toBe('  and 3000 more lines');
  });
});
