/** RetinaNet: convolutional towers, anchors at every cell, focal loss. */
export { RETINANET, RetinaNet, retinaNet, type RetinaNetOptions } from './retinanet';
