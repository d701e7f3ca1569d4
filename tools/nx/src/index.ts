export { appGenerator, type AppOptions } from './app/generator';
export { libGenerator, type LibOptions } from './lib/generator';
