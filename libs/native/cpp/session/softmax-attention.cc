// Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1): softmax(s q k^T) v per head, for a
// few queries at a time, so that what a query finds similar to itself stays in the caches. Heads are read where they lie.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernel.h"
#include "product-block.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// Products that are worth handing over to another thread.
constexpr int64_t kLeastAttended = 200000;

// Keys or values: channels of rows that may have others beside them.
struct Sources {
  const float *first;
  // Of a row, in floats.
  int64_t stride;
};

// Heads lie side by side in the channels of queries, [images, tokens, channels], and of keys and values, [images, keys, channels].
struct SoftmaxAttention {
  int64_t images, heads, tokens, keys, channels;
  float scale;
  const float *q;
  Sources k, v;
  float *y;

  int64_t width() const { return channels / heads; }
  int64_t blocks() const { return PartsOf(tokens, kRows); }
};

// What a thread works with, of one head: its keys as columns, [width, stride], its values, [keys, width], and the similarities of some
// queries, [kRows, stride]. The stride is a multiple of two vectors. Where they lie among other heads, rows would take each other's
// places in the first cache.
struct Scratch {
  Scratch(int64_t keys, int64_t width, int64_t lanes)
      : stride(PartsOf(keys, lanes) * lanes), columns(width * stride), values(keys * width), similarities(kRows * stride) {}

  const int64_t stride;
  const Panel columns, values, similarities;
};

// Takes the keys and values of an image's head, which begins at a channel; the last key fills up the columns.
void Gather(const SoftmaxAttention &attention, int64_t image, int64_t channel, const Scratch &scratch) {
  const auto &[k, keyStride] = attention.k;
  const auto &[v, valueStride] = attention.v;
  const int64_t width = attention.width(), stride = scratch.stride;
  for (int64_t key = 0; key < stride; key++) {
    const int64_t row = image * attention.keys + std::min(key, attention.keys - 1);
    for (int64_t c = 0; c < width; c++) scratch.columns.data()[c * stride + key] = k[row * keyStride + channel + c];
    if (key < attention.keys) std::copy_n(v + row * valueStride + channel, width, scratch.values.data() + key * width);
  }
}

// Similarities of `kRows` queries with all keys become e^(s - the largest). @returns in `sums` what each row adds up to.
template <typename V>
PYRAMIDAL_INLINE void Compare(const SoftmaxAttention &attention, const float *const *queries, const Scratch &scratch, float *sums) {
  const int64_t stride = scratch.stride;
  float *const all = scratch.similarities.data();
  V most[kRows], totals[kRows] = {};
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) most[i] = Fill<V>(-std::numeric_limits<float>::infinity());
  for (int64_t key = 0; key < stride; key += 2 * kLanes<V>) {
    V products[kRows][2];
    MultiplyBlock<V, 2>(queries, scratch.columns.data() + key, stride, attention.width(), products);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      most[i] = Most(most[i], Most(products[i][0], products[i][1]));
      Store(products[i][0], all + i * stride + key);
      Store(products[i][1], all + i * stride + key + kLanes<V>);
    }
  }
  for (int i = 0; i < kRows; i++) {
    float *const row = all + i * stride;
    const float largest = MostOf<V>(most[i]);
    for (int64_t key = 0; key < stride; key += kLanes<V>) {
      Store(Exp<V>((Load<V>(row + key) - largest) * attention.scale), row + key);
    }
    std::fill(row + attention.keys, row + stride, 0.0f);
  }
  for (int64_t key = 0; key < stride; key += kLanes<V>) {
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) totals[i] += Load<V>(all + i * stride + key);
  }
#pragma GCC unroll 6
  for (int i = 0; i < kRows; i++) sums[i] = SumOf<V>(totals[i]);
}

// The weighted means of the values, for the vectors of channels from `c` on.
template <typename V, int vectors>
PYRAMIDAL_INLINE void Answer(const SoftmaxAttention &attention, const Scratch &scratch, const float *sums, int64_t c, int64_t count,
                             float *y) {
  const float *rows[kRows];
  for (int i = 0; i < kRows; i++) rows[i] = scratch.similarities.data() + i * scratch.stride;
  V found[kRows][vectors];
  MultiplyBlock<V, vectors>(rows, scratch.values.data() + c, attention.width(), attention.keys, found);
  for (int64_t i = 0; i < count; i++) {
    for (int j = 0; j < vectors; j++) Store(found[i][j] / sums[i], y + i * attention.channels + c + j * kLanes<V>);
  }
}

// Blocks of queries `begin..end`, counted through images and heads.
template <typename V>
PYRAMIDAL_INLINE void Attend(const SoftmaxAttention &attention, int64_t begin, int64_t end) {
  const int64_t width = attention.width(), channels = attention.channels, blocks = attention.blocks();
  if constexpr (kLanes<V> > 1) {
    if (width < kLanes<V>) return Attend<Narrower<V>>(attention, begin, end);
  }
  constexpr int64_t lanes = kLanes<V>;
  Scratch scratch(attention.keys, width, 2 * lanes);
  int64_t gathered = -1;
  for (int64_t unit = begin; unit < end; unit++) {
    const int64_t place = unit / blocks, image = place / attention.heads, channel = place % attention.heads * width;
    const int64_t first = unit % blocks * kRows, count = std::min<int64_t>(kRows, attention.tokens - first);
    const int64_t token = (image * attention.tokens + first) * channels + channel;
    if (gathered != place) Gather(attention, image, channel, scratch);
    gathered = place;
    // Rows beyond the last query are that query's again.
    const float *queries[kRows];
    for (int64_t i = 0; i < kRows; i++) queries[i] = attention.q + token + std::min(i, count - 1) * channels;
    float sums[kRows];
    Compare<V>(attention, queries, scratch, sums);
    int64_t c = 0;
    for (; c + 2 * lanes <= width; c += 2 * lanes) {
      Answer<V, 2>(attention, scratch, sums, c, count, attention.y + token);
    }
    for (; c < width; c += lanes) {
      Answer<V, 1>(attention, scratch, sums, std::min(c, width - lanes), count, attention.y + token);
    }
  }
}

struct AttendBlocks {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const SoftmaxAttention *attention, int64_t begin, int64_t end) {
    Attend<V>(*attention, begin, end);
  }
};

struct SoftmaxSettings {
  // The channels that keys and values begin at.
  int64_t heads, keysAt, valuesAt;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &heads, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "keys_at", &keysAt, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt64(construction, "values_at", &valuesAt, status);
  }
};

// Of [images, ..., channels], the rows of an image.
int64_t RowsOfImage(const Array &array) {
  int64_t rows = 1;
  for (int axis = 1; axis < array.rank() - 1; axis++) rows *= array.size(axis);
  return rows;
}

Sources SourcesOf(const char *name, const Array &array, int64_t images, int64_t keys, int64_t channels, int64_t first) {
  const int64_t stride = array.rank() < 3 ? 0 : array.size(array.rank() - 1);
  if (first < 0 || stride < first + channels || array.size(0) != images || RowsOfImage(array) != keys) {
    throw std::runtime_error(std::string(name) + ": expected [" + std::to_string(images) + ", " + std::to_string(keys) + ", at least " +
                             std::to_string(first + channels) + "], received " + array.shape());
  }
  return {array.data<float>() + first, stride};
}

void ComputeSoftmaxAttention(void *settings, TF_OpKernelContext *context) {
  const auto &[heads, keysAt, valuesAt] = *static_cast<SoftmaxSettings *>(settings);
  const Array q = InputOf(context, 0), k = InputOf(context, 1), v = InputOf(context, 2);
  const int64_t channels = q.rank() < 3 ? 0 : q.size(q.rank() - 1);
  if (q.rank() < 3 || heads < 1 || channels % heads != 0) {
    throw std::runtime_error("queries: expected [images, tokens, a multiple of " + std::to_string(heads) + "], received " + q.shape());
  }
  const int64_t images = q.size(0), tokens = RowsOfImage(q), keys = k.rank() < 3 ? 0 : RowsOfImage(k);
  if (keys < 1) throw std::runtime_error("keys: expected [images, keys, channels], received " + k.shape());
  const Sources from = SourcesOf("keys", k, images, keys, channels, keysAt), to = SourcesOf("values", v, images, keys, channels, valuesAt);
  const Array y = OutputOf(context, 0, TF_FLOAT, q.sizes());
  if (y.count() == 0) return;
  const float scale = 1 / std::sqrt(static_cast<float>(channels / heads));
  const SoftmaxAttention attention{images, heads, tokens, keys, channels, scale, q.data<float>(), from, to, y.data<float>()};
  const int64_t products = 2 * kRows * keys * attention.width();
  InParts(images * heads * attention.blocks(), (kLeastAttended + products - 1) / products,
          [&](int64_t begin, int64_t end) { RunLoops<AttendBlocks>(&attention, begin, end); });
}

const bool isSoftmaxAttentionRegistered = Register({"PyramidalSoftmaxAttention",
                                                    {"heads: int", "keys_at: int", "values_at: int"},
                                                    {"queries: float", "keys: float", "values: float"},
                                                    {"output: float"},
                                                    false,
                                                    &CreateSettings<SoftmaxSettings>,
                                                    &RunKernel<ComputeSoftmaxAttention>,
                                                    &DeleteSettings<SoftmaxSettings>});

}  // namespace
}  // namespace pyramidal
