// Products of small matrices, and small convolutions, with a bias or a batch norm and an activation, on several threads. TensorFlow
// computes a product whose matrices fit in a core's second cache on one thread, while the others have nothing to do, and puts the weights
// in order each time.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "activation.h"
#include "kernel.h"
#include "norm-factors.h"
#include "product.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// A unit of work: rows, and columns of the weights.
constexpr int64_t kRowsOfUnit = 42 * kRows;
constexpr int64_t kColumnsOfUnit = 32;
// Weights that meet rows at a time, so many rows of a unit's columns.
constexpr int64_t kDepthOfPanel = 256;
// Numbers of columns are multiples of this.
constexpr int64_t kColumnsTogether = 16;
// Bytes of all weights that are kept in order.
constexpr int64_t kMostKept = int64_t{128} << 20;

// Where the rows of the first matrix begin: those of a convolution are the cells under its window, of which each line lies together.
struct Rows {
  // Of an image, of a line of results in an image, of a result in a line, in floats; results in a line, lines in an image.
  int64_t image, line, cell, cells, lines;

  int64_t operator()(int64_t row) const {
    const int64_t at = row / cells;
    return at / lines * image + at % lines * line + row % cells * cell;
  }
};

struct SmallProduct {
  // Of the rows there are `segments`, `segment` floats apart, of `depth` floats each.
  int64_t rows, segments, segment, depth, columns;
  Rows place;
  // The first matrix, [segments, depth, columns], [rows, columns].
  const float *x, *weight;
  float *y;
  // What sums are multiplied with, if anything, and what is added to them then, [columns] both.
  const float *factors, *shifts;
  Activation activation;
  // The weights as panels, [panels, segments, depth, kColumnsOfUnit]; null where they are brought together each time.
  const float *panels;

  int64_t panelCount() const { return PartsOf(columns, kColumnsOfUnit); }
  int64_t units() const { return PartsOf(rows, kRowsOfUnit) * panelCount(); }
  // Segments that a panel has, if it has whole ones.
  int64_t together() const { return std::max<int64_t>(1, std::min(segments, kDepthOfPanel / std::max<int64_t>(1, depth))); }
  // Panels one after the other along the depth.
  int64_t deep() const { return PartsOf(segments, together()) * PartsOf(depth, kDepthOfPanel); }
};

// A part of a unit: some of its columns, and of the depth as much as a panel has.
struct Part {
  int64_t row, rows, column, columns;
  // In the rows of the first matrix, in those of the weights, and how many of how many segments.
  int64_t offset, from, depth, segments;
  bool isFirst, isLast;

  // Of the weights.
  int64_t rowsOfPanel() const { return segments * depth; }
};

// The parts of units one after the other: units go through the columns, then the rows, and their parts through the depth, then the columns.
template <typename V>
PYRAMIDAL_INLINE Part PartAt(const SmallProduct &product, int64_t place) {
  constexpr int64_t width = 2 * kLanes<V>;
  const int64_t all = product.deep(), together = product.together(), deep = PartsOf(product.depth, kDepthOfPanel);
  const int64_t wide = kColumnsOfUnit / width;
  const int64_t unit = place / (all * wide), segment = place % all / deep * together, from = place % all % deep * kDepthOfPanel;
  const int64_t row = unit / product.panelCount() * kRowsOfUnit;
  const int64_t column = unit % product.panelCount() * kColumnsOfUnit + place / all % wide * width;
  return {row,
          std::min(kRowsOfUnit, product.rows - row),
          column,
          std::max<int64_t>(0, std::min(width, product.columns - column)),
          segment * product.segment + from,
          segment * product.depth + from,
          std::min(kDepthOfPanel, product.depth - from),
          std::min(together, product.segments - segment),
          place % all == 0,
          place % all == all - 1};
}

// The weights of a part in the panels that are kept.
inline const float *InPanels(const SmallProduct &product, const Part &part) {
  const int64_t row = part.column / kColumnsOfUnit * product.segments * product.depth + part.from;
  return product.panels + row * kColumnsOfUnit + part.column % kColumnsOfUnit;
}

// The weights of a part and how far apart their rows are. Where they lie, rows of weights take each other's places in the first cache, so
// that they are brought together into `panel` unless they are kept like that.
template <typename V, int vectors>
PYRAMIDAL_INLINE const float *WeightsOf(const SmallProduct &product, const Part &part, const Panel &panel) {
  if (product.panels != nullptr) return InPanels(product, part);
  for (int64_t d = 0; d < part.rowsOfPanel(); d++) {
    const float *const row = product.weight + (part.from + d) * product.columns + part.column;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) Store(Load<V>(row + j * kLanes<V>), panel.data() + d * kColumnsOfUnit + j * kLanes<V>);
  }
  return panel.data();
}

// Multiplies the rows of a part with its `vectors` vectors of columns, while the weights of the next part come into the caches: their rows
// lie too far apart for a processor to foresee them.
template <typename V, int vectors>
PYRAMIDAL_INLINE void MultiplyPart(const SmallProduct &product, const Part &part, const Part &next, const Panel &panel) {
  const float *const weights = WeightsOf<V, vectors>(product, part, panel);
  V factors[vectors], shifts[vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; j++) {
    factors[j] = product.factors == nullptr ? Fill<V>(1) : Load<V>(product.factors + part.column + j * kLanes<V>);
    shifts[j] = Load<V>(product.shifts + part.column + j * kLanes<V>);
  }
  const int64_t stride = product.panels == nullptr ? product.columns : kColumnsOfUnit;
  const float *const following = product.panels == nullptr ? product.weight + next.from * stride + next.column : InPanels(product, next);
  for (int64_t first = 0; first < part.rows; first += kRows) {
    const int64_t count = std::min<int64_t>(kRows, part.rows - first);
    for (int64_t d = first * next.rowsOfPanel() / part.rows; d < (first + count) * next.rowsOfPanel() / part.rows; d++) {
      const float *const row = following + d * stride;
      for (int64_t c = 0; c < next.columns; c += kColumnsTogether) __builtin_prefetch(row + c, 0, 2);
    }
    // Rows beyond the last one are that row again.
    const float *rows[kRows];
    for (int64_t i = 0; i < kRows; i++) rows[i] = product.x + product.place(part.row + first + std::min(i, count - 1)) + part.offset;
    V sums[kRows][vectors];
    MultiplyBlock<V, vectors>(rows, weights, kColumnsOfUnit, part.depth, sums);
    for (int64_t segment = 1; segment < part.segments; segment++) {
      for (int i = 0; i < kRows; i++) rows[i] += product.segment;
      AddBlock<V, vectors>(rows, weights + segment * part.depth * kColumnsOfUnit, kColumnsOfUnit, part.depth, sums);
    }
    for (int64_t i = 0; i < count; i++) {
      float *const y = product.y + (part.row + first + i) * product.columns + part.column;
#pragma GCC unroll 2
      for (int j = 0; j < vectors; j++) {
        const V sum = part.isFirst ? sums[i][j] : sums[i][j] + Load<V>(y + j * kLanes<V>);
        Store(part.isLast ? Activate<V>(sum * factors[j] + shifts[j], product.activation) : sum, y + j * kLanes<V>);
      }
    }
  }
}

struct MultiplyUnits {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const SmallProduct *product, int64_t begin, int64_t end) {
    const int64_t parts = product->deep() * (kColumnsOfUnit / (2 * kLanes<V>));
    const Panel panel(kDepthOfPanel * kColumnsOfUnit);
    Part part = PartAt<V>(*product, begin * parts);
    for (int64_t place = begin * parts; place < end * parts; place++) {
      const Part next = PartAt<V>(*product, std::min(place + 1, end * parts - 1));
      if (part.columns == 2 * kLanes<V>) MultiplyPart<V, 2>(*product, part, next, panel);
      if (part.columns == kLanes<V>) MultiplyPart<V, 1>(*product, part, next, panel);
      part = next;
    }
  }
};

// Weights in order, as long as a variable has them.
class KeptWeights {
 public:
  // Null where enough are kept already.
  static std::shared_ptr<const KeptWeights> Of(std::unique_ptr<Array> weight, const SmallProduct &product) {
    const int64_t size = product.panelCount() * product.segments * product.depth * kColumnsOfUnit;
    const int64_t bytes = size * static_cast<int64_t>(sizeof(float));
    if (total.fetch_add(bytes) + bytes <= kMostKept) return std::make_shared<KeptWeights>(std::move(weight), product, size);
    total -= bytes;
    return nullptr;
  }

  KeptWeights(std::unique_ptr<Array> weight, const SmallProduct &product, int64_t size)
      : weight_(std::move(weight)), panels_(size), bytes_(size * sizeof(float)) {
    const int64_t depth = product.segments * product.depth;
    InParts(product.panelCount(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t panel = begin; panel < end; panel++) {
        const int64_t column = panel * kColumnsOfUnit, columns = std::min(kColumnsOfUnit, product.columns - column);
        float *const to = panels_.data() + panel * depth * kColumnsOfUnit;
        for (int64_t d = 0; d < depth; d++) std::copy_n(product.weight + d * product.columns + column, columns, to + d * kColumnsOfUnit);
      }
    });
  }
  ~KeptWeights() { total -= bytes_; }
  KeptWeights(const KeptWeights &) = delete;
  KeptWeights &operator=(const KeptWeights &) = delete;

  // Whether they are of this memory, which is nobody else's while they are kept; who changes a variable copies what others hold.
  bool AreOf(const Array &weight) const { return weight_->data<float>() == weight.data<float>(); }
  const float *data() const { return panels_.data(); }

 private:
  static std::atomic<int64_t> total;
  const std::unique_ptr<Array> weight_;
  const Panel panels_;
  const int64_t bytes_;
};

std::atomic<int64_t> KeptWeights::total{0};

struct ProductSettings {
  Activation activation;
  // Whether the weights are a variable that the step does not change.
  unsigned char keeps;
  std::mutex mutex;
  std::shared_ptr<const KeptWeights> kept;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    activation = ReadActivation(construction, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrBool(construction, "keeps", &keeps, status);
  }
};

struct ConvolutionSettings : ProductSettings {
  // In cells.
  int64_t stride;
  float epsilon;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    ProductSettings::Read(construction, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "stride", &stride, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrFloat(construction, "epsilon", &epsilon, status);
  }
};

void Multiply(ProductSettings *settings, TF_OpKernelContext *context, SmallProduct product) {
  if (product.rows * product.columns == 0) return;
  std::shared_ptr<const KeptWeights> kept;
  if (settings->keeps) {
    std::unique_ptr<Array> weight(new Array(InputOf(context, 1)));
    std::lock_guard<std::mutex> lock(settings->mutex);
    if (settings->kept == nullptr || !settings->kept->AreOf(*weight)) {
      settings->kept = nullptr;
      settings->kept = KeptWeights::Of(std::move(weight), product);
    }
    kept = settings->kept;
  }
  product.panels = kept == nullptr ? nullptr : kept->data();
  InParts(product.units(), 1, [&](int64_t begin, int64_t end) { RunLoops<MultiplyUnits>(&product, begin, end); });
}

void ExpectColumns(const Array &weight) {
  const int64_t columns = weight.size(weight.rank() - 1);
  if (columns % kColumnsTogether != 0) {
    throw std::runtime_error("weight: expected a multiple of " + std::to_string(kColumnsTogether) + " columns, received " + weight.shape());
  }
}

void ComputeSmallProduct(void *kernel, TF_OpKernelContext *context) {
  ProductSettings *const settings = static_cast<ProductSettings *>(kernel);
  const Array x = InputOf(context, 0), weight = InputOf(context, 1), bias = InputOf(context, 2);
  if (x.rank() != 2 || weight.rank() != 2) throw std::runtime_error("expected matrices, received " + x.shape() + " and " + weight.shape());
  const int64_t rows = x.size(0), depth = x.size(1), columns = weight.size(1);
  weight.Expect("weight", {depth, columns});
  ExpectColumns(weight);
  bias.Expect("bias", {columns});
  const Array y = OutputOf(context, 0, TF_FLOAT, {rows, columns});
  const Rows place{0, 0, depth, std::max<int64_t>(1, rows), 1};
  Multiply(settings, context,
           {rows, 1, 0, depth, columns, place, x.data<float>(), weight.data<float>(), y.data<float>(), nullptr, bias.data<float>(),
            settings->activation, nullptr});
}

// A convolution without padding. Its norm has none or all four of scale, offset, mean and variance; what it norms has no bias.
void ComputeSmallConvolution(void *kernel, TF_OpKernelContext *context) {
  ConvolutionSettings *const settings = static_cast<ConvolutionSettings *>(kernel);
  const Array x = InputOf(context, 0), filter = InputOf(context, 1), bias = InputOf(context, 2);
  if (x.rank() != 4 || filter.rank() != 4) throw std::runtime_error("expected a map and a filter, received " + x.shape() + " and " + filter.shape());
  const int64_t stride = settings->stride, channels = x.size(3), line = x.size(2) * channels;
  const int64_t tall = filter.size(0), wide = filter.size(1), columns = filter.size(3);
  filter.Expect("filter", {tall, wide, channels, columns});
  if (stride < 1 || tall > x.size(1) || wide > x.size(2)) throw std::runtime_error("map: expected one larger than " + filter.shape() + ", received " + x.shape());
  ExpectColumns(filter);
  NormFactors norm;
  const bool isNormed = TF_NumInputs(context) > 3;
  if (isNormed) {
    norm.Append(context, 3, 1, columns, settings->epsilon);
  } else {
    bias.Expect("bias", {columns});
  }
  const int64_t lines = (x.size(1) - tall) / stride + 1, cells = (x.size(2) - wide) / stride + 1;
  const Array y = OutputOf(context, 0, TF_FLOAT, {x.size(0), lines, cells, columns});
  const Rows place{x.size(1) * line, stride * line, stride * channels, cells, lines};
  Multiply(settings, context,
           {x.size(0) * lines * cells, tall, line, wide * channels, columns, place, x.data<float>(), filter.data<float>(),
            y.data<float>(), isNormed ? norm.factors.data() : nullptr, isNormed ? norm.shifts.data() : bias.data<float>(),
            settings->activation, nullptr});
}

const bool isSmallProductRegistered = Register({"PyramidalSmallProduct",
                                                {"activation: string", "keeps: bool"},
                                                {"x: float", "weight: float", "bias: float"},
                                                {"y: float"},
                                                false,
                                                &CreateSettings<ProductSettings>,
                                                &RunKernel<ComputeSmallProduct>,
                                                &DeleteSettings<ProductSettings>});

const bool isSmallConvolutionRegistered = Register({"PyramidalSmallConvolution",
                                                    {"activation: string", "keeps: bool", "stride: int", "epsilon: float", "statistics: int >= 0"},
                                                    {"map: float", "filter: float", "bias: float", "norm: statistics * float"},
                                                    {"y: float"},
                                                    false,
                                                    &CreateSettings<ConvolutionSettings>,
                                                    &RunKernel<ComputeSmallConvolution>,
                                                    &DeleteSettings<ConvolutionSettings>});

}  // namespace
}  // namespace pyramidal
