/** Opening weights files of every kind: entries, wrappers, and what is said of other files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, type Checkpoint, type CheckpointOptions } from './checkpoint';
import { writeSafetensors } from './safetensors';
import { dict, integer, list, name, pickle, tensor, torchZip } from './test-files/craft';

let folder: string;
let open: Checkpoint[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  open = [];
});
afterEach(() => {
  for (const file of open) file.close();
  rmSync(folder, { recursive: true, force: true });
});

function read(bytes: Buffer, options?: CheckpointOptions): Checkpoint {
  const path = join(folder, 'weights.bin');
  writeFileSync(path, bytes);
  const file = openCheckpoint(path, options);
  open.push(file);
  return file;
}

const names = ({ tensors }: Checkpoint): string[] => [...tensors.keys()];
const torch = (root: Buffer): Buffer => torchZip(pickle(root));
const w = tensor({});
const epoch = integer(9);

describe('openCheckpoint', () => {
  it.each([
    ['the official classification form', dict({ model: dict({ w }), epoch }), 'model', ['epoch']],
    ['the OpenMMLab form', dict({ meta: dict({ epoch }), state_dict: dict({ w }) }), 'state_dict', ['meta']],
    ['a plain state_dict', dict({ w }), '', []],
    ['a state_dict with values that are no tensors', dict({ w, epoch }), '', ['epoch']],
    ['another name for the only state_dict', dict({ generator: dict({ w }), epoch }), 'generator', ['epoch']],
    [
      'an averaged copy beside the model',
      dict({ model_ema: dict({ v: w }), model: dict({ w }) }),
      'model',
      ['model_ema'],
    ],
  ])('finds the weights in %s', (_, root, entry, others) => {
    const file = read(torch(root));
    expect(names(file)).toEqual(['w']);
    expect({ entry: file.entry, others: [...file.others.keys()], format: file.format }).toEqual({
      entry,
      others,
      format: 'pytorch',
    });
    expect(file.tensors.get('w')!.data).toEqual(new Float32Array(2));
  });

  it('takes the entry asked for', () => {
    const root = dict({ model: dict({ w }), model_ema: dict({ 'module.v': w }) });
    expect(names(read(torch(root), { entry: 'model_ema' }))).toEqual(['v']);
    expect(() => read(torch(root), { entry: 'teacher' })).toThrow(
      'its entry "teacher" is not a dict of tensors, expected one of "model", "model_ema"',
    );
  });

  it('takes off what DataParallel puts before every name', () => {
    expect(names(read(torch(dict({ state_dict: dict({ 'module.a': w, 'module.b': w }) }))))).toEqual(['a', 'b']);
  });

  it('opens safetensors whatever they are called', () => {
    const path = join(folder, 'source.safetensors');
    writeSafetensors(path, [['module.w', { dtype: 'float32', shape: [1], data: Float32Array.of(3) }]], { epoch: '9' });
    const file = openCheckpoint(path);
    open.push(file);
    expect(file).toMatchObject({ format: 'safetensors', entry: '', metadata: { epoch: '9' } });
    expect(file.tensors.get('w')!.data).toEqual(Float32Array.of(3));
  });

  it.each<[string, Buffer, string]>([
    [
      'two state_dicts of unknown names',
      torch(dict({ a: dict({ w }), b: dict({ w }) })),
      'it holds several dicts of tensors, choose an entry: "a", "b"',
    ],
    ['no state_dict', torch(dict({ epoch })), 'it holds no dict of tensors'],
    ['a list', torch(list(epoch)), 'it holds a list, expected a dict of tensors'],
    ['a whole pickled model', torch(Buffer.from(`${name('models', 'Net')})\x81`, 'latin1')), 'an object of models.Net'],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'is a Git LFS pointer'],
    ['a web page', Buffer.from('<!DOCTYPE html><html>'), 'is a web page'],
    ['a gzip file', Buffer.from('1f8b0800000000000003', 'hex'), 'is packed by gzip'],
    ['an HDF5 file', Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), 'is an HDF5 file'],
    ['a tar file', Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar'), Buffer.alloc(250)]), 'is a tar file'],
    ['an empty file', Buffer.alloc(0), 'is empty'],
    ['noise', Buffer.from('noise'), 'is neither safetensors nor a PyTorch checkpoint'],
  ])('says what is wrong with %s', (_, bytes, problem) => {
    expect(() => read(bytes)).toThrow(problem);
  });
});
