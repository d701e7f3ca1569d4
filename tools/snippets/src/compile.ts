/** Compiles programs with the workspace's settings. */
import { dirname, relative, resolve } from 'node:path';
import {
  createProgram,
  flattenDiagnosticMessageText,
  getPreEmitDiagnostics,
  parseJsonConfigFileContent,
  readConfigFile,
  sys,
} from 'typescript';

/** @returns a line for each thing that the compiler complains about. */
export function typeProblems(root: string, files: readonly string[]): string[] {
  const base = resolve(root, 'tsconfig.base.json');
  const { config } = readConfigFile(base, sys.readFile);
  const { options } = parseJsonConfigFileContent(config, sys, dirname(base));
  const lax = { composite: false, declaration: false, declarationMap: false, noEmit: true, noUnusedLocals: false };
  const program = createProgram([...files], {
    ...options,
    ...lax,
    types: ['node'],
    lib: [...options.lib!, 'lib.dom.d.ts'],
  });
  return files.flatMap((file) =>
    getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ file: source, start, messageText }) => {
      const line = source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line : 0;
      const text = source?.text.split('\n')[line]?.trim() ?? '';
      return `${relative(root, file)}: ${flattenDiagnosticMessageText(messageText, ' ')}; in \`${text}\``;
    }),
  );
}
