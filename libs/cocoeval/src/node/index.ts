/** The parts of the package that need Node: files of any size, threads. */
export { evaluateFiles, evaluateFilesInThreads } from './evaluate-files';
export { readCategories, readCoco, readResults } from './files';
