/** Checks the types and entries of a package, by @arethetypeswrong and publint. */
import type { Tarball } from './tarballs';

/** How importers find types: `moduleResolution` node16 from CommonJS and from ES modules, and bundler. */
const RESOLUTIONS = ['node16-cjs', 'node16-esm', 'bundler'] as const;

/** What @arethetypeswrong finds in any of these. */
export async function typeProblems({ unpacked }: Tarball): Promise<string[]> {
  const { checkPackage } = await import('@arethetypeswrong/core'); // has no CommonJS
  const { problemAffectsResolutionKind, problemKindInfo } = await import('@arethetypeswrong/core/problems');
  const analysis = await checkPackage(unpacked);
  if (analysis.types === false) return ['there are no types'];
  return analysis.problems.flatMap((problem) => {
    const where = RESOLUTIONS.filter((resolution) => problemAffectsResolutionKind(problem, resolution, analysis));
    return where.length > 0 ? [`types: ${problemKindInfo[problem.kind].title} (${where.join(', ')})`] : [];
  });
}

/** What publint says of the entry points. */
export async function entryProblems({ bytes }: Tarball): Promise<string[]> {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, level: 'warning' });
  return messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}
