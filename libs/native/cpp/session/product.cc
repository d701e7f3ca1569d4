// Products of matrices, and convolutions without padding, with a bias or a batch norm and an activation, on several threads. TensorFlow
// computes a product whose matrices fit in a core's second cache on one thread, while the others have nothing to do, and puts the weights
// in order each time; with a batch norm its convolutions take many times as long where a processor has AVX2 alone.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "activation.h"
#include "kernel.h"
#include "norm-factors.h"
#include "panel.h"
#include "product-block.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// Rows that meet panels of weights block by block, at most: with the depth of a panel they fit in a core's second cache.
constexpr int64_t kMostRows = 42 * kRows;
// Weights that meet a block of rows at a time: so many rows of two vectors of columns.
constexpr int64_t kDepthOfPanel = 256;
inline int64_t ColumnsOfPanel() {
  static const int64_t columns = 2 * LanesOfThisProcessor();
  return columns;
}
// Panels that a block of rows meets one after the other: rows stay in the first cache, weights in the second, read in the order in which they lie.
constexpr int64_t kPanelsTogether = 8;
// Numbers of columns are multiples of this.
constexpr int64_t kColumnsTogether = 8;
// Multiply-adds that are worth another thread.
constexpr int64_t kWorthThread = 1 << 18;
// Bytes of all weights that are kept in order.
constexpr int64_t kMostKept = int64_t{128} << 20;

// Where the rows of the first matrix begin: those of a convolution are the cells under its window, of which each line lies together.
struct Rows {
  // Of an image, of a line of results in an image, of a result in a line, in floats; results in a line, lines in an image.
  int64_t image, line, cell, cells, lines;
};

// Goes through them one by one: a division for each row would take a fifth of the time of a product that is not deep.
class RowPlace {
 public:
  RowPlace(const Rows &rows, int64_t row)
      : rows_(rows), cell_(row % rows.cells), line_(row / rows.cells % rows.lines), image_(row / rows.cells / rows.lines * rows.image) {}

  int64_t operator*() const { return image_ + line_ * rows_.line + cell_ * rows_.cell; }

  void operator++() {
    if (++cell_ < rows_.cells) return;
    cell_ = 0;
    if (++line_ < rows_.lines) return;
    line_ = 0;
    image_ += rows_.image;
  }

 private:
  const Rows rows_;
  // In a line, in an image, in floats.
  int64_t cell_, line_, image_;
};

struct Product {
  // Of the rows there are `segments`, `segment` floats apart, of `depth` floats each.
  int64_t rows, segments, segment, depth, columns;
  Rows place;
  // The first matrix, [segments, depth, columns], [rows, columns].
  const float *x, *weight;
  float *y;
  // What sums are multiplied with, if anything, and what is added to them then, [columns] both.
  const float *factors, *shifts;
  Activation activation;
  // The weights as panels, [panels, segments, depth, ColumnsOfPanel()]; null where they are brought together each time.
  const float *panels;

  // Rows are cut into blocks of even sizes, columns into panels; a unit of work is one block with one panel.
  int64_t blocks() const { return PartsOf(rows, kMostRows); }
  int64_t rowsOfBlock() const { return PartsOf(PartsOf(rows, blocks()), kRows) * kRows; }
  int64_t panelCount() const { return PartsOf(columns, ColumnsOfPanel()); }
  int64_t units() const { return blocks() * panelCount(); }
  int64_t worthThread() const { return PartsOf(kWorthThread, rowsOfBlock() * ColumnsOfPanel() * std::max<int64_t>(1, segments * depth)); }
  // Segments that a panel has, if it has whole ones.
  int64_t together() const { return std::max<int64_t>(1, std::min(segments, kDepthOfPanel / std::max<int64_t>(1, depth))); }
  // Panels one after the other along the depth.
  int64_t deepOfSegment() const { return std::max<int64_t>(1, PartsOf(depth, kDepthOfPanel)); }
  int64_t deep() const { return PartsOf(segments, together()) * deepOfSegment(); }
};

// Units beside each other: a block of rows with neighbouring panels.
struct Strip {
  int64_t row, rows, panel, panels;

  // That of the units from `begin` on, up to `end` and within their block.
  static Strip At(const Product &product, int64_t begin, int64_t end) {
    const int64_t count = product.panelCount(), block = begin / count, rows = product.rowsOfBlock(), row = block * rows;
    return {row, std::min(rows, product.rows - row), begin % count, std::min(end, (block + 1) * count) - begin};
  }
};

// What of a strip is computed at a time: some of its panels, and of the depth as much as a panel has.
struct Part {
  int64_t row, rows, panel, panels;
  // In the rows of the first matrix, in those of the weights, and how many of how many segments.
  int64_t offset, from, depth, segments;
  bool isFirst, isLast;

  static int64_t CountOf(const Product &product, const Strip &strip) { return product.deep() * PartsOf(strip.panels, kPanelsTogether); }

  // The parts of a strip go through the panels, then the depth, so that the rows stay in the second cache.
  static Part At(const Product &product, const Strip &strip, int64_t place) {
    const int64_t wide = PartsOf(strip.panels, kPanelsTogether), along = place / wide, first = place % wide * kPanelsTogether;
    const int64_t together = product.together(), deep = product.deepOfSegment();
    const int64_t segment = along / deep * together, from = along % deep * kDepthOfPanel;
    return {strip.row,
            strip.rows,
            strip.panel + first,
            std::min(kPanelsTogether, strip.panels - first),
            segment * product.segment + from,
            segment * product.depth + from,
            std::min(kDepthOfPanel, product.depth - from),
            std::min(together, product.segments - segment),
            along == 0,
            along == product.deep() - 1};
  }
};

// Brings rows of a panel's weights together, `count` from row `from` on: where they lie, they take each other's places in the first cache.
inline void BringTogether(const Product &product, int64_t panel, int64_t from, int64_t count, float *to) {
  const int64_t width = ColumnsOfPanel(), column = panel * width, columns = std::min(width, product.columns - column);
  for (int64_t d = 0; d < count; d++) {
    const float *const row = product.weight + (from + d) * product.columns + column;
    for (int64_t c = 0; c < columns; c += kLanes<Four>) Store(Load<Four>(row + c), to + d * width + c);
  }
}

// The weights of a part as panels, which lie `apart` from each other: those that are kept, or brought together in `scratch`.
struct PartWeights {
  const float *first;
  int64_t apart;

  static PartWeights Of(const Product &product, const Part &part, const Panel &scratch) {
    const int64_t width = ColumnsOfPanel(), all = product.segments * product.depth;
    if (product.panels != nullptr) return {product.panels + (part.panel * all + part.from) * width, all * width};
    for (int64_t i = 0; i < part.panels; i++) {
      BringTogether(product, part.panel + i, part.from, part.segments * part.depth, scratch.data() + i * kDepthOfPanel * width);
    }
    return {scratch.data(), kDepthOfPanel * width};
  }
};

// What becomes of the sums of a block of `count` rows, whose first results go to `y`.
template <typename V, int vectors>
PYRAMIDAL_INLINE void FinishBlock(const Product &product, const Part &part, V (&sums)[kRows][vectors], int64_t column, float *y, int64_t count) {
  V factors[vectors], shifts[vectors];
#pragma GCC unroll 2
  for (int j = 0; j < vectors; j++) {
    factors[j] = product.factors == nullptr ? Fill<V>(1) : Load<V>(product.factors + column + j * kLanes<V>);
    shifts[j] = Load<V>(product.shifts + column + j * kLanes<V>);
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) {
    if (i == count) break;
#pragma GCC unroll 2
    for (int j = 0; j < vectors; j++) {
      float *const to = y + i * product.columns + j * kLanes<V>;
      const V sum = part.isFirst ? sums[i][j] : sums[i][j] + Load<V>(to);
      Store(part.isLast ? sum * factors[j] + shifts[j] : sum, to);
    }
  }
  if (!part.isLast || product.activation == Activation::kNone) return;
  for (int64_t i = 0; i < count; i++) {
    for (int j = 0; j < vectors; j++) {
      float *const to = y + i * product.columns + j * kLanes<V>;
      Store(Activate<V>(Load<V>(to), product.activation), to);
    }
  }
}

// A block of `count` rows, which begin at `rows`, with `vectors` vectors of columns of weights, which are `stride` apart.
template <int vectors, int64_t stride>
struct MultiplyRowsOfPart {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Product *product, const Part *part, const float *const *rows, const float *weights, int64_t column,
                                   float *y, int64_t count) {
    V sums[kRows][vectors];
    MultiplyBlock<V, vectors>(rows, weights, stride, part->depth, sums);
    for (int64_t segment = 1; segment < part->segments; segment++) {
      const float *further[kRows];
      for (int i = 0; i < kRows; i++) further[i] = rows[i] + segment * product->segment;
      AddBlock<V, vectors>(further, weights + segment * part->depth * stride, stride, part->depth, sums);
    }
    FinishBlock<V, vectors>(*product, *part, sums, column, y + column, count);
  }
};

// A block of rows with a panel, with as wide vectors as there are columns for. It is a function of its own: what goes on around it would take the
// registers in which the places of the rows are.
template <typename V>
PYRAMIDAL_INLINE void MultiplyPanel(const Product *product, const Part *part, const float *const *rows, const float *weights, int64_t column,
                                    float *y, int64_t count) {
  constexpr int64_t lanes = kLanes<V>, stride = 2 * lanes;
  int64_t left = product->columns - column;
  if (left >= stride) return RunApart<V, MultiplyRowsOfPart<2, stride>>(product, part, rows, weights, column, y, count);
  if (left >= lanes) {
    RunApart<V, MultiplyRowsOfPart<1, stride>>(product, part, rows, weights, column, y, count);
    weights += lanes;
    column += lanes;
    left -= lanes;
  }
  if constexpr (lanes > kColumnsTogether) {
    if (left > 0) RunApart<Narrower<V>, MultiplyRowsOfPart<1, stride>>(product, part, rows, weights, column, y, count);
  }
}

template <typename V>
PYRAMIDAL_INLINE void MultiplyPart(const Product &product, const Part &part, const Panel &scratch) {
  const PartWeights weights = PartWeights::Of(product, part, scratch);
  RowPlace place(product.place, part.row);
  for (int64_t first = 0; first < part.rows; first += kRows) {
    const int64_t count = std::min<int64_t>(kRows, part.rows - first);
    // Rows beyond the last one are that row again.
    const float *rows[kRows];
    for (int i = 0; i < kRows; i++) {
      rows[i] = product.x + *place + part.offset;
      if (i + 1 < count || count == kRows) ++place;
    }
    float *const y = product.y + (part.row + first) * product.columns;
    for (int64_t i = 0; i < part.panels; i++) {
      MultiplyPanel<V>(&product, &part, rows, weights.first + i * weights.apart, (part.panel + i) * ColumnsOfPanel(), y, count);
    }
  }
}

struct MultiplyUnits {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const Product *product, int64_t begin, int64_t end) {
    const Panel scratch(product->panels == nullptr ? kPanelsTogether * kDepthOfPanel * ColumnsOfPanel() : 0);
    while (begin < end) {
      const Strip strip = Strip::At(*product, begin, end);
      for (int64_t place = 0; place < Part::CountOf(*product, strip); place++) MultiplyPart<V>(*product, Part::At(*product, strip, place), scratch);
      begin += strip.panels;
    }
  }
};

// Weights in order, as long as a variable has them.
class KeptWeights {
 public:
  // Null where enough are kept already.
  static std::shared_ptr<const KeptWeights> Of(std::unique_ptr<Array> weight, const Product &product) {
    const int64_t size = product.panelCount() * product.segments * product.depth * ColumnsOfPanel();
    const int64_t bytes = size * static_cast<int64_t>(sizeof(float));
    if (total.fetch_add(bytes) + bytes <= kMostKept) return std::make_shared<KeptWeights>(std::move(weight), product, size);
    total -= bytes;
    return nullptr;
  }

  KeptWeights(std::unique_ptr<Array> weight, const Product &product, int64_t size)
      : weight_(std::move(weight)), panels_(size), bytes_(size * sizeof(float)) {
    const int64_t depth = product.segments * product.depth;
    InParts(product.panelCount(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t panel = begin; panel < end; panel++) BringTogether(product, panel, 0, depth, panels_.data() + panel * depth * ColumnsOfPanel());
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

void Multiply(ProductSettings *settings, TF_OpKernelContext *context, Product product) {
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
  InParts(product.units(), product.worthThread(), [&](int64_t begin, int64_t end) { RunLoops<MultiplyUnits>(&product, begin, end); });
}

void ExpectColumns(const Array &weight) {
  const int64_t columns = weight.size(weight.rank() - 1);
  if (columns % kColumnsTogether != 0) {
    throw std::runtime_error("weight: expected a multiple of " + std::to_string(kColumnsTogether) + " columns, received " + weight.shape());
  }
}

void ComputeProduct(void *kernel, TF_OpKernelContext *context) {
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
void ComputeConvolution(void *kernel, TF_OpKernelContext *context) {
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

const bool isProductRegistered = Register({"PyramidalProduct",
                                           {"activation: string", "keeps: bool"},
                                           {"x: float", "weight: float", "bias: float"},
                                           {"y: float"},
                                           false,
                                           &CreateSettings<ProductSettings>,
                                           &RunKernel<ComputeProduct>,
                                           &DeleteSettings<ProductSettings>});

const bool isConvolutionRegistered = Register({"PyramidalConvolution",
                                               {"activation: string", "keeps: bool", "stride: int", "epsilon: float", "statistics: int >= 0"},
                                               {"map: float", "filter: float", "bias: float", "norm: statistics * float"},
                                               {"y: float"},
                                               false,
                                               &CreateSettings<ConvolutionSettings>,
                                               &RunKernel<ComputeConvolution>,
                                               &DeleteSettings<ConvolutionSettings>});

}  // namespace
}  // namespace pyramidal
