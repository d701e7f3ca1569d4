/** Installs and opens native TensorFlow for TensorFlow.js on today's Node. */
export { type NvidiaCard, nvidiaCards } from './cards';
export { examineCards, examineEngine, examineTools, type Finding } from './examine';
export { cacheFolder } from './install/cache-folder';
export { installNative, type InstallOptions, type InstallOutcome } from './install/install-native';
export { type Installation, writeInstallation } from './install/installation';
export { showProgress } from './install/progress-bar';
export type { InstallProgress } from './install/progress';
export type { NativeEngine } from './native-engine';
export { isInstalled, type NativeOptions, openInstalled, type OpenedNative } from './open-installed';
