/** Nx generators: apps that train on your own pictures, and libraries that extract features. */
export { appGenerator, type AppOptions } from './app/generator';
export { libGenerator, type LibOptions } from './lib/generator';
