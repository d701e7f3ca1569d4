import { evaluationSchema, freezeSchema, trainSchema } from './schema';
import { describeUnread, namingClasses, only, readBy, type Reader } from './readers';
import { z } from 'zod';

const split = z.strictObject({ file: z.string(), folder: z.string() });
const schema = z.strictObject({
  data: z.strictObject({
    val: z
      .union([z.literal('none'), split])
      .default('none')
      .describe('What is measured on.')
      .register(readBy, namingClasses('eval')),
    names: z.string().optional().register(readBy, namingClasses()),
    workers: z.int().default(1),
  }),
  model: z.strictObject({
    head: z.discriminatedUnion('name', [
      z.strictObject({ name: z.literal('a'), size: z.int().register(readBy, only()) }),
      z.strictObject({ name: z.literal('b'), size: z.int() }),
    ]),
    freeze: freezeSchema,
  }),
  train: trainSchema.describe('How it learns.'),
  evaluation: evaluationSchema,
});
const config = { data: { val: 'none' }, model: { head: { name: 'a', size: 3 } }, train: {} };

const unread = (override: string, reader: Reader, knowsClasses = true): string[] =>
  describeUnread(schema, { config, overrides: [override] }, { reader, knowsClasses });
const isRead = (...args: Parameters<typeof unread>): boolean => unread(...args).length === 0;

describe('describeUnread', () => {
  it('names the override, the command and the key', () => {
    expect(unread('train.epochs=3', 'predict')).toEqual([
      '--set train.epochs=3: without effect, predict does not read train.epochs',
    ]);
    const overrides = ['train.epochs=3', 'data.workers=2', 'model.freeze=1'];
    const lines = describeUnread(schema, { config, overrides }, { reader: 'export', knowsClasses: true });
    expect(lines).toHaveLength(2);
  });

  it('says why where the classes come from the weights, and nothing where they do not', () => {
    expect(unread('data.names=x.json', 'predict')).toEqual([
      '--set data.names=x.json: without effect, predict does not read data.names: the weights tell the classes',
    ]);
    expect(isRead('data.names=x.json', 'predict', false)).toBe(true);
    expect(unread('data.names=x.json', 'eval', false)).toEqual([
      '--set data.names=x.json: without effect, eval does not read data.names',
    ]);
  });

  it('takes what is said of the innermost value on the way', () => {
    expect(isRead('train.batchSize=2', 'predict')).toBe(true);
    expect(isRead('train.batchSize=2', 'info')).toBe(false);
    expect(isRead('train.optimizer.lr=2', 'eval')).toBe(false);
    expect(isRead('evaluation.every=2', 'eval')).toBe(false);
    expect(isRead('evaluation.ema=false', 'eval')).toBe(true);
    expect(isRead('data.val.file=x', 'eval')).toBe(true);
    expect(isRead('data.val.file=x', 'serve')).toBe(false);
  });

  it('looks at each value of a mapping: one that is read is enough', () => {
    expect(isRead('data.val={ file: x, folder: y }', 'predict')).toBe(false);
    expect(isRead('train={ epochs: 1, batchSize: 2 }', 'predict')).toBe(true);
    expect(isRead('train={ epochs: 1, seed: 2 }', 'predict')).toBe(false);
  });

  it('takes the kind that the configuration names', () => {
    expect(isRead('model.head.size=3', 'predict')).toBe(false);
    const other = { ...config, model: { head: { name: 'b', size: 3 } } };
    const overrides = ['model.head.size=3'];
    expect(describeUnread(schema, { config: other, overrides }, { reader: 'predict', knowsClasses: true })).toEqual([]);
  });
});
