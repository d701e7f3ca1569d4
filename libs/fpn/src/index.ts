/** The public names of @pyramidal/fpn. */
export { Fpn, type FpnOptions } from './fpn';
