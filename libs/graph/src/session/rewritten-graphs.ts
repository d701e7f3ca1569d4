/** Graphs as TensorFlow has rewritten them, kept on disk: the next process that records the same graph rewrites nothing. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import type { RewrittenGraph, RewrittenGraphsPlace } from '@pyramidal/kernels/engine';

/** Changes with what a file says. */
const FORMAT = 'pyramidal graph 1';
const ENDING = '.graph';
const DIGEST_BYTES = 32;

/** Bytes of all graphs together; those unused for longest go first. */
const MOST_BYTES = 256 * 2 ** 20;

/** Age of a file that a process no longer writes. */
const LEFT_OVER_MS = 3_600_000;

/**
 * A folder of graphs by what they were made of, all of it: the graph as it was recorded, the options of its session, TensorFlow and
 * the machine. So a graph that is found is never of another time. Nothing but time depends on the folder, so none of its faults is
 * an error: what cannot be read or written is as if it was not there.
 */
export class RewrittenGraphs {
  constructor(
    private readonly place: RewrittenGraphsPlace,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  /** What a graph is known by. @param parts whatever decides what TensorFlow makes of it, besides the engine. */
  keyOf(parts: readonly (string | Uint8Array)[]): string {
    const hash = createHash('sha256');
    for (const part of [FORMAT, this.place.engine, ...parts]) hash.update(`${part.length} `).update(part);
    return hash.digest('hex');
  }

  /** The graph of a key; undefined where there is none that is whole. */
  read(key: string): RewrittenGraph | undefined {
    const file = this.fileOf(key);
    return orNone(() => {
      const bytes = readFileSync(file);
      const content = bytes.subarray(DIGEST_BYTES);
      if (!bytes.subarray(0, DIGEST_BYTES).equals(digestOf(content))) return undefined;
      const now = new Date();
      orNone(() => utimesSync(file, now, now));
      const end = content.indexOf('\n');
      const fetches = JSON.parse(content.toString('utf8', 0, end)) as string[];
      return { graph: content.subarray(end + 1), fetches };
    });
  }

  /** Keeps a graph, and makes room for it. */
  keep(key: string, { graph, fetches }: RewrittenGraph): void {
    const content = Buffer.concat([Buffer.from(`${JSON.stringify(fetches)}\n`), graph]);
    if (content.length > this.mostBytes / 4) return;
    orNone(() => {
      makeFolder(this.place.folder);
      writeFileAtomically(this.fileOf(key), [digestOf(content), content]);
      this.makeRoom();
    });
  }

  /** Takes away a graph that TensorFlow does not take. */
  drop(key: string): void {
    orNone(() => rmSync(this.fileOf(key), { force: true }));
  }

  private fileOf(key: string): string {
    return join(this.place.folder, key + ENDING);
  }

  private makeRoom(): void {
    const files = readdirSync(this.place.folder)
      .map((name) => join(this.place.folder, name))
      .flatMap((file) => orNone(() => ({ file, stats: statSync(file) })) ?? [])
      .sort((a, b) => b.stats.mtimeMs - a.stats.mtimeMs);
    let bytes = 0;
    for (const { file, stats } of files) {
      bytes += stats.size;
      const isLeftOver = !file.endsWith(ENDING) && Date.now() - stats.mtimeMs > LEFT_OVER_MS;
      if (bytes > this.mostBytes || isLeftOver) rmSync(file, { force: true });
    }
  }
}

const digestOf = (content: Uint8Array): Buffer => createHash('sha256').update(content).digest();

/** What a folder that serves speed alone gives; nothing where it is missing, full, read-only or damaged, or another process was faster. */
function orNone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
