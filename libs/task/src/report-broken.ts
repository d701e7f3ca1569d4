/** A last word on images that could not be read. */
import { oneLine } from '@pyramidal/files';

/** What reads images and notes those that could not be read, file to reason. */
interface Source {
  readonly broken: ReadonlyMap<string, string>;
}

/** Names the images that were skipped because they could not be read. */
export function reportBroken(...sources: readonly Source[]): void {
  const broken = new Map(sources.flatMap((source) => [...source.broken]));
  if (broken.size === 0) return;
  console.error(`${broken.size} broken ${broken.size === 1 ? 'image was' : 'images were'} skipped:`);
  for (const [file, reason] of broken) console.error(oneLine(`  ${file}: ${reason}`));
}
