/** Files written whole or not at all, records checked as they are read, locks that two never hold. */
export { AppendFile } from './append-file';
export { explainFileError, FileError, isSystemError, oneLine } from './file-error';
export { isThere } from './is-there';
export { acquireLock, withLock, type Holder, type Lock } from './lock';
export { PendingFile } from './pending-file';
export { openRegularFile, readText } from './read-file';
export { parseRecord, readJson, readJsonLines, type Lines, type Schema } from './read-records';
export {
  checkTarget,
  duplicateFile,
  makeFolder,
  removeFile,
  removeLeftovers,
  writeFileAtomically,
  writeJson,
  type Content,
  type Patch,
} from './write-file';
