/** Checks that browsers can bundle a package, and what a backbone costs a page. */
import { build } from 'esbuild';
import { entryPoints } from './manifest';
import { ROOT, specifierOf, type WorkspacePackage } from './workspace';

/** Minified bytes without TensorFlow.js that one backbone may cost a page. */
const LIMIT = 64_000;

const BUNDLES = {
  'createBackbone, any of them by name': `export { createBackbone } from '@pyramidal/backbones';`,
  'one family, from bytes': `
    import { groupMixFormer } from '@pyramidal/backbones';
    import { loadWeights, parseSafetensors } from '@pyramidal/checkpoints/portable';
    export function create(bytes) {
      const backbone = groupMixFormer.create(groupMixFormer.variants.groupmixformer_tiny);
      loadWeights(backbone, parseSafetensors(bytes).tensors);
      return backbone;
    }`,
};

interface BundleSize {
  readonly what: string;
  readonly bytes: number;
}

/** Sizes of what a page needs for a backbone. */
export function backboneSizes(): Promise<BundleSize[]> {
  return Promise.all(Object.entries(BUNDLES).map(async ([what, code]) => ({ what, bytes: await bundledSize(code) })));
}

export const sizeProblems = (sizes: readonly BundleSize[]): string[] =>
  sizes
    .filter(({ bytes }) => bytes >= LIMIT)
    .map(({ what, bytes }) => `bundle of ${what}: expected less than ${LIMIT} bytes, received ${bytes}`);

/** Entries for browsers that do not come through a bundler, as those that need Node do not. */
export async function bundleProblems({ manifest }: WorkspacePackage): Promise<string[]> {
  const entries = entryPoints(manifest).filter(([, entry]) => entry.import !== undefined);
  const results = await Promise.allSettled(
    entries.map(([name]) => bundledSize(`export * from '${specifierOf(manifest, name)}';`)),
  );
  return results.flatMap((result) => (result.status === 'rejected' ? [`bundle: ${String(result.reason)}`] : []));
}

async function bundledSize(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['@tensorflow/tfjs-core'],
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]!.contents.length;
}
