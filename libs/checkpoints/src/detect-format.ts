/** The format of a weights file, by its first bytes. */
import { checkpointError } from './errors';
import { openFile } from './open-file';

/** Other files that people take for weights, recognised by their first bytes. */
const LOOKALIKES: readonly (readonly [matches: (start: string) => boolean, what: string])[] = [
  [(start) => start === '', 'empty'],
  [(start) => start.startsWith('version https://git-lfs'), 'a Git LFS pointer: git lfs pull gets the file itself'],
  [(start) => /^\s*<(!doctype|html|\?xml)/i.test(start), 'a web page: the download did not give the file'],
  [(start) => start.startsWith('\x89HDF'), 'an HDF5 file, expected safetensors or a PyTorch checkpoint'],
  [(start) => start.startsWith('\x1f\x8b'), 'packed by gzip: unpack it first'],
  [
    (start) => start.startsWith('ustar', 257),
    'a tar file, expected safetensors or a checkpoint of PyTorch 0.4 or newer',
  ],
];

/**
 * Tells the two formats apart by their first bytes, whatever the file is called.
 * @throws CheckpointError that says what the file is instead, where that is known.
 */
export function detectFormat(path: string): 'safetensors' | 'pytorch' {
  const file = openFile(path);
  try {
    const bytes = file.read(0, Math.min(file.size, 512), 'the first bytes');
    const start = bytes.toString('latin1');
    if (start[8] === '{') return 'safetensors';
    if (start.startsWith('PK\x03\x04') || (bytes[0] === 0x80 && bytes[1]! <= 5)) return 'pytorch';
    const lookalike = LOOKALIKES.find(([matches]) => matches(start));
    throw checkpointError(path, `is ${lookalike ? lookalike[1] : 'neither safetensors nor a PyTorch checkpoint'}`);
  } finally {
    file.close();
  }
}
