export { evaluateFiles, evaluateFilesInThreads } from './evaluate-files';
export { readCoco, readResults } from './files';
