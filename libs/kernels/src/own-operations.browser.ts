/** Forms of kernels in browsers, which have no addon: a page is spared their code. */
const none = (): null => null;

export { none as ownActivation, none as ownConv3x3, none as ownDepthwise };
