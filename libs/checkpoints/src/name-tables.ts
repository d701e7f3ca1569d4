/** What is known of the names of weights, family by family and framework by framework. */

/** Prefixes that a wrapper puts before every name: DataParallel, torch.compile, Lightning. */
export const WRAPPERS = ['module.', '_orig_mod.', 'model.'];

/** Those of them that no model has as the name of a part. */
export const PARALLEL_WRAPPERS = ['module.', '_orig_mod.'];

/** The parts of OpenMMLab models, by the first word of the name. */
export const MODEL_PARTS = {
  /** MMDetection: two-stage detectors have rpn_head and roi_head, one-stage ones bbox_head. */
  detector: ['backbone', 'neck', 'rpn_head', 'roi_head', 'bbox_head', 'mask_head'],
  /** MMSegmentation */
  segmentor: ['backbone', 'neck', 'decode_head', 'auxiliary_head'],
} as const;

export type ModelKind = keyof typeof MODEL_PARTS | 'classifier';

/** Keys that official detection and segmentation code names unlike its own classifier. */
export const BACKBONE_RENAMES = [
  /** SMT: the depthwise conv on v of its attention. */
  { classifier: '.attn.local_conv.', detector: '.attn.dw_conv.' },
] as const;

/**
 * Where DETR's descendants hold their backbone, beside a position code without weights, by a name that tells them: DINO as its
 * authors have it, Deformable DETR as CoaT's authors have it. Modules here hold it under `backbone.`.
 */
export const BACKBONE_PREFIXES = [
  { tells: 'transformer.enc_out_class_embed.weight', prefix: 'backbone.0.' },
  { tells: 'input_proj.0.0.weight', prefix: 'backbone.0.backbone.' },
] as const;

/** What only a classifier has: GroupMixFormer's and CoaT's last norms, CoaT's fusion of class tokens, the head. */
export const CLASSIFIER_ONLY = /^(norm\d|aggregate|head)\./;

/** Whose shape follows the number of classes. */
export const CLASS_HEADS = [
  /^head\.(weight|bias)$/,
  /^(roi_head\.)?bbox_head\.(\d+\.)?(fc_cls|fc_reg|retina_cls)\.(weight|bias)$/,
  /^roi_head\.mask_head\.(\d+\.)?conv_logits\.(weight|bias)$/,
  /^(transformer\.decoder\.)?class_embed\.\d+\.(weight|bias)$/,
  /^transformer\.enc_out_class_embed\.(weight|bias)$/,
  /^label_enc\.weight$/,
  /^(decode_head|auxiliary_head)\.conv_seg\.(weight|bias)$/,
];

/** Kept by PyTorch's training code, of no use to a model here: batch counters, mmcv's averaged copies. */
export const TRAINING_LEFTOVERS = [/(^|\.)num_batches_tracked$/, /^ema_/];

/** First words of what training keeps beside the weights: averages of them, and the optimizer's state. */
export const AVERAGES = 'ema.';
export const TRAINING_STATE = [AVERAGES, 'optimizer.'];
