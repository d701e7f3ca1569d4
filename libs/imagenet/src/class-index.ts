/** Class lists of ImageFolder datasets. */
import { readText } from '@pyramidal/files';

/** A class: its label, the folder that holds its images (for ImageNet the wnid) and what people call it. */
export interface ImageClass {
  readonly index: number;
  readonly folder: string;
  readonly name: string;
}

/** ImageNet-21K's 22 thousand classes take one million. */
const MAX_BYTES = 8 << 20;

/**
 * Reads a list of classes. Three layouts are understood: a JSON array of `{ index, wnid | folder, name }`, a JSON object
 * `{ "0": ["n01440764", "tench"], ... }`, and text with `folder name` on each line, in label order.
 * @returns the classes in label order, labels 0 to K - 1.
 * @throws if a label or a folder is missing or comes twice.
 */
export async function readClassIndex(file: string): Promise<ImageClass[]> {
  const text = readText(file, { maxBytes: MAX_BYTES });
  const classes = /^\s*[[{]/.test(text) ? fromJson(file, parseJson(file, text)) : fromLines(text);
  if (classes.length === 0) throw new Error(`${file}: expected a list of classes, received none`);
  classes.sort((a, b) => a.index - b.index);
  const folders = new Set<string>();
  classes.forEach(({ index, folder }, i) => {
    if (index !== i)
      throw new Error(`${file}: expected labels 0 to ${classes.length - 1}, received ${index} as number ${i}`);
    if (folders.has(folder)) throw new Error(`${file}: folder '${folder}' is listed twice`);
    folders.add(folder);
  });
  return classes;
}

function parseJson(file: string, text: string): object {
  try {
    return JSON.parse(text) as object;
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

function fromJson(file: string, content: object): ImageClass[] {
  const entries = Array.isArray(content)
    ? content.map((entry) => ({ ...entry, folder: entry?.folder ?? entry?.wnid }))
    : Object.entries(content).map(([index, pair]) => ({ index: Number(index), folder: pair?.[0], name: pair?.[1] }));
  return entries.map(({ index, folder, name = folder }, i) => {
    if (!Number.isInteger(index) || typeof folder !== 'string' || typeof name !== 'string') {
      throw new Error(
        `${file}: expected index, wnid and name, received ${JSON.stringify(Object.values(content)[i])} as entry ${i}`,
      );
    }
    return { index, folder, name };
  });
}

function fromLines(text: string): ImageClass[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '')
    .map((line, index) => {
      const [, folder, name] = /^(\S+)\s*(.*)$/.exec(line)!;
      return { index, folder: folder!, name: name || folder! };
    });
}
