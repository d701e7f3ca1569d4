/** Files of `torch.save`, both formats, against what Python wrote into them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, goldenFolder, goldenTensor } from '@pyramidal/testing';
import type { TensorData } from './dtype';
import { toFloat32 } from './numbers';
import type { PickleObject } from './pickle-values';
import {
  call,
  dict,
  integer,
  name,
  pickle,
  tensor,
  text,
  torchZip,
  tuple,
  zip,
  type CraftedTensor,
} from './test-files/craft';
import { readTorch, type TorchFile } from './torch-file';
import type { TorchTensor } from './torch-tensor';

/** Written by torch 2.14.1 with the two tiny files beside it. */
const tiny = JSON.parse(readFileSync(join(__dirname, '../fixtures/tiny_expected.json'), 'utf8')) as {
  readonly tiny_other_entries: Readonly<Record<string, unknown>> & { readonly nested: object };
  readonly tensors_expected: readonly {
    readonly key: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly stride: readonly number[];
    readonly storage_offset: number;
    readonly storage: number;
    readonly parameter: boolean;
    readonly values: readonly (number | string | boolean)[];
    readonly bits?: readonly string[];
  }[];
};

let folder: string;
let open: TorchFile[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'torch-'));
  open = [];
});
afterEach(() => {
  for (const file of open) file.close();
  rmSync(folder, { recursive: true, force: true });
});

type Dict = Map<string, unknown>;

function read(path: string): Dict {
  const file = readTorch(path);
  open.push(file);
  return file.root as Dict;
}

function readBytes(bytes: Buffer): Dict {
  const path = join(folder, 'file.pth');
  writeFileSync(path, bytes);
  return read(path);
}

const model = (root: Dict): Map<string, TorchTensor> => root.get('model') as Map<string, TorchTensor>;

describe.each(['tiny_zip.pth', 'tiny_legacy.pth'])('readTorch of %s', (file) => {
  const load = () => read(join(__dirname, '../fixtures', file));

  it('gives every tensor with its dtype, shape, strides and values', () => {
    const tensors = model(load());
    expect([...tensors.keys()]).toEqual(tiny.tensors_expected.map(({ key }) => key));
    for (const expected of tiny.tensors_expected) {
      const { dtype, shape, stride, offset, isParameter, data } = tensors.get(expected.key)!;
      expect({ dtype, shape, stride, offset, isParameter }).toEqual({
        dtype: expected.dtype,
        shape: expected.shape,
        stride: expected.stride,
        offset: expected.storage_offset,
        isParameter: expected.parameter,
      });
      expect(data).toHaveLength(expected.values.length);
      if (expected.bits) {
        expect(Array.from(data as Uint16Array, (bits) => bits.toString(16).padStart(4, '0'))).toEqual(expected.bits);
      }
      const values = dtype.includes('float16') ? toFloat32({ dtype, data }) : data;
      expected.values.forEach((value, index) => expectValue(values[index]!, value, dtype));
    }
  });

  it('lets tensors that share a storage share it', () => {
    const tensors = model(load());
    const first = new Map<number, TorchTensor>();
    for (const { key, storage } of tiny.tensors_expected) {
      const known = first.get(storage) ?? tensors.get(key)!;
      first.set(storage, known);
      for (const [other, { storage: otherStorage }] of first) {
        expect(otherStorage === tensors.get(key)!.storage).toBe(other === storage);
      }
    }
  });

  it('gives the other entries as plain values', () => {
    const { nested, ...flat } = tiny.tiny_other_entries;
    const root = load();
    for (const [key, value] of Object.entries(flat)) expect(root.get(key)).toEqual(value);
    expect(root.get('nested')).toEqual(new Map(Object.entries(nested)));
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: TensorData): Buffer => Buffer.from(buffer, byteOffset, byteLength);

function expectValue(received: number | bigint, expected: number | string | boolean, dtype: string): void {
  const wanted = dtype === 'int64' ? BigInt(expected as string) : Number(expected);
  const exact = dtype === 'float32' ? Math.fround(wanted as number) : wanted;
  if (!Object.is(received, exact)) expect(received).toBe(exact);
}

describe('readTorch of crafted archives', () => {
  const two = Buffer.from(new Float32Array([1.5, -2]).buffer);
  const one = (fields: CraftedTensor = {}) => pickle(dict({ w: tensor(fields) }));

  it.each([
    ['stored', torchZip(one(), { 0: two })],
    ['deflated', torchZip(one(), { 0: two }, { deflate: true })],
    ['zip64', torchZip(one(), { 0: two }, { zip64: true })],
    [
      'without checksums',
      zip([
        { name: 'm/data.pkl', data: one(), claims: { crc: 0 } },
        { name: 'm/data/0', data: two, claims: { crc: 0 } },
      ]),
    ],
  ])('reads members that are %s', (_, bytes) => {
    expect((readBytes(bytes).get('w') as TorchTensor).data).toEqual(new Float32Array([1.5, -2]));
  });

  it('takes bytes in the order that the archive names', () => {
    const swapped = Buffer.from(two).swap32();
    const extra = [{ name: 'm/byteorder', data: Buffer.from('big') }];
    const root = readBytes(torchZip(one(), { 0: swapped }, { extra }));
    expect((root.get('w') as TorchTensor).data).toEqual(new Float32Array([1.5, -2]));
  });

  it('reads tensors of dtypes that have no storage class of their own', () => {
    const id = tuple(text('storage'), name('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), integer(4));
    const rebuilt = call(
      ...(['torch._utils', '_rebuild_tensor_v3', id, 'Q', integer(0)] as const),
      ...[tuple(integer(2)), tuple(integer(1)), 'N', 'N', name('torch', 'uint16')],
    );
    const root = readBytes(torchZip(pickle(dict({ w: rebuilt })), { 0: Buffer.from([1, 0, 255, 255]) }));
    expect(root.get('w')).toMatchObject({ dtype: 'uint16', data: new Uint16Array([1, 65535]) });
  });

  it('finds a flipped bit in the weights by the checksum', () => {
    const bytes = torchZip(one(), { 0: two });
    bytes[bytes.indexOf(two)]! ^= 1;
    const root = readBytes(bytes);
    expect(() => (root.get('w') as TorchTensor).data).toThrow('member "m/data/0" is damaged: its checksum is wrong');
  });

  const huge = 2n ** 40n;
  it.each<[string, Buffer, string]>([
    ['a view beyond its storage', torchZip(one({ offset: 1 })), 'reaches beyond its storage 0 of 8 bytes'],
    ['a stride beyond its storage', torchZip(one({ stride: [2] })), 'reaches beyond its storage 0 of 8 bytes'],
    ['a negative size', torchZip(one({ shape: [-1] })), 'impossible strides'],
    ['a negative stride', torchZip(one({ stride: [-1] })), 'impossible strides'],
    ['shape and strides of different length', torchZip(one({ shape: [2, 1] })), 'impossible strides'],
    ['too many axes', torchZip(one({ shape: Array(65).fill(1), stride: Array(65).fill(1) })), 'impossible strides'],
    ['more elements than can be counted', torchZip(one({ shape: [huge, huge], stride: [0, 0] })), 'impossible strides'],
    ['a repetition far beyond the file', torchZip(one({ shape: [huge], stride: [0] })), 'far more than the'],
    ['a storage of another size', torchZip(one({ count: 3 })), 'storage "0" has 8 bytes, expected 12'],
    ['a storage of sheer size', torchZip(one({ count: huge })), 'storage "0" has 8 bytes, expected 4398046511104'],
    ['a missing storage', torchZip(one({ key: '7' })), 'storage "7" is missing'],
    ['a path as storage', torchZip(one({ key: '../../etc/passwd' })), 'storage "../../etc/passwd" is missing'],
    [
      'a storage type unknown',
      torchZip(one({ type: 'QInt8Storage' })),
      'of type "torch.QInt8Storage", expected one of',
    ],
    ['a persistent id that is no storage', torchZip(pickle('NQ')), 'expected a tensor storage'],
    ['a tensor of nothing', torchZip(pickle(call('torch._utils', '_rebuild_tensor_v2'))), 'without storage'],
    [
      'an unknown byte order',
      torchZip(one(), {}, { extra: [{ name: 'm/byteorder', data: Buffer.from('odd') }] }),
      '"odd"',
    ],
    [
      'a TorchScript program',
      zip([
        { name: 'm/data.pkl', data: one() },
        { name: 'm/constants.pkl', data: one() },
      ]),
      'TorchScript',
    ],
    ['no pickle', zip([{ name: 'readme.txt', data: two }]), 'a zip file without data.pkl'],
    ['an empty pickle', torchZip(Buffer.alloc(0)), 'the pickle needs bytes 0 to 1'],
    ['encrypted members', zip([{ name: 'm/data.pkl', data: one(), claims: { flags: 1 } }]), 'is encrypted'],
    [
      'an unknown compression',
      zip([{ name: 'm/data.pkl', data: one(), claims: { method: 14 } }]),
      'packed by method 14',
    ],
    ['a damaged pickle', zip([{ name: 'm/data.pkl', data: one(), claims: { crc: 1 } }]), 'its checksum is wrong'],
    ['one member twice', zip([{ name: 'a', data: two }, { name: 'a', data: two }]), 'two members are named "a"'], // prettier-ignore
    ['a member of two sizes', zip([{ name: 'm/data.pkl', data: one(), claims: { size: 7 } }]), 'has two sizes'],
    [
      'a member that unfolds too little',
      zip([{ name: 'm/data.pkl', data: one(), deflate: true, claims: { size: 5000 } }]),
      'does not unpack to the 5000 bytes',
    ],
    [
      'a member that unfolds too much',
      zip([{ name: 'm/data.pkl', data: Buffer.alloc(5000), deflate: true, claims: { size: 10 } }]),
      'does not unpack to the 10 bytes',
    ],
    [
      'a member that claims to unfold to a terabyte',
      zip([{ name: 'm/data.pkl', data: one(), deflate: true, claims: { size: 2 ** 40 } }], { zip64: true }),
      'would unfold to 1099511627776 bytes',
    ],
    ['a pickle beyond all measure', torchZip(Buffer.alloc(70_000_000, 'N')), 'its pickle has 70000000 bytes'],
    ['no directory', torchZip(one()).subarray(0, 100), 'its zip directory is missing'],
    ['a pickle of something else', pickle(dict({ a: integer(1) })), 'not a PyTorch checkpoint'],
  ])('names the fault: %s', (_, bytes, problem) => {
    expect(() => readBytes(bytes)).toThrow(problem);
  });

  it('does not run what a pickle calls, and says what it would have run', () => {
    const witness = join(folder, 'witness');
    for (const [module, member, code] of [
      ['os', 'system', `touch ${witness}`],
      ['builtins', 'eval', `open('${witness}', 'w')`],
    ] as const) {
      expect(() => readBytes(torchZip(pickle(dict({ w: call(module, member, text(code)) }))))).toThrow(
        `file.pth: refused, it would call "${module}.${member}" when opened in Python`,
      );
    }
    expect(existsSync(witness)).toBe(false);
  });
});

interface Expected {
  readonly file: string;
  readonly sha256: string;
  readonly in_tree?: boolean;
  readonly format?: string;
  readonly top_level_keys: readonly string[];
  readonly model_entries: number;
  readonly distinct_storages_in_model: number;
  readonly epoch: number;
  readonly optimizer_groups: readonly number[];
  readonly optimizer_state_entries: number;
  readonly optimizer_state_sample: Readonly<Record<string, number | number[]>>;
  readonly lr_scheduler_keys: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly config_class?: string;
  readonly args_class?: string;
  readonly args_sample?: Readonly<Record<string, unknown>>;
}

describeWith(goldenFolder(), 'readTorch of checkpoints in the official form', (golden) => {
  const at = join(golden, 'backbones/checkpoints');
  const { entries } = JSON.parse(readFileSync(join(at, 'expected.json'), 'utf8')) as {
    entries: readonly Expected[];
  };
  const official = entries.filter(({ format, in_tree }) => format === undefined && in_tree !== false);

  it('covers both', () => expect(official).toHaveLength(2));

  it.each(official.map((expected) => [expected.file, expected] as const))(
    '%s holds what it should',
    (file, expected) => {
      const path = join(at, file);
      expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(expected.sha256);
      const root = read(path);
      expect([...root.keys()]).toEqual(expected.top_level_keys);
      expect(root.get('epoch')).toBe(expected.epoch);
      expect([...(root.get('lr_scheduler') as Dict).keys()]).toEqual(expected.lr_scheduler_keys);

      const tensors = model(root);
      expect(tensors.size).toBe(expected.model_entries);
      expect(new Set([...tensors.values()].map(({ storage }) => storage)).size).toBe(
        expected.distinct_storages_in_model,
      );
      for (const [alias, first] of Object.entries(expected.aliases ?? {})) {
        expect(tensors.get(alias)!.isSameView(tensors.get(first)!)).toBe(true);
      }

      const optimizer = root.get('optimizer') as Dict;
      const groups = optimizer.get('param_groups') as Map<string, unknown[]>[];
      expect(groups.map((group) => group.get('params')!.length)).toEqual(expected.optimizer_groups);
      const state = optimizer.get('state') as Map<number, Map<string, TorchTensor>>;
      expect(state.size).toBe(expected.optimizer_state_entries);
      const { index, step, ...sample } = expected.optimizer_state_sample;
      const first = state.get(index as number)!;
      expect(Number(first.get('step')!.data[0])).toBe(step);
      expect(first.get('exp_avg')!.shape).toEqual(sample['exp_avg_shape']);
      for (const key of ['exp_avg', 'exp_avg_sq']) {
        const values = sample[`${key}_first`] as number[];
        expect([...first.get(key)!.data.subarray(0, values.length)]).toEqual(values.map(Math.fround));
      }
    },
  );

  it.each(official.map((expected) => [expected.file, expected] as const))(
    '%s has the formula values',
    (file, { aliases = {} }) => {
      for (const [key, tensor] of model(read(join(at, file)))) {
        if (key.endsWith('num_batches_tracked'))
          expect(tensor).toMatchObject({ dtype: 'int64', data: new BigInt64Array(1) });
        else expect(bytesOf(tensor.data).equals(bytesOf(goldenTensor(aliases[key] ?? key, tensor.shape)))).toBe(true);
      }
    },
  );

  it('gives the averaged copy of the CoaT checkpoint', () => {
    const root = read(join(at, 'coat_lite_reduced.pth'));
    for (const [key, averaged] of root.get('model_ema') as Map<string, TorchTensor>) {
      const original = model(root).get(key)!.data as Float32Array;
      expect(averaged.data).toEqual(original.map((value) => value / 2));
    }
  });

  it('keeps configuration objects as records', () => {
    const [gmf, coat] = official.map(({ file }) => read(join(at, file)));
    const config = gmf!.get('config') as PickleObject;
    expect(config.type.path).toBe('yacs.config.CfgNode');
    const section = (config.items.get('MODEL') as PickleObject).items.get('GMA') as PickleObject;
    expect(section.items.get('EMBEDDING_DIMS')).toEqual([40, 80, 160, 160]);
    expect(gmf!.get('max_accuracy')).toBe(79.5);
    const args = coat!.get('args') as PickleObject;
    expect(args.type.path).toBe('argparse.Namespace');
    expect((args.state as Dict).get('model')).toBe('coat_lite_tiny');
  });
});
