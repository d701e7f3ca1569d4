// Scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, equation 1): softmax(s q k^T) v per head, for a
// few queries at a time, so that what a query finds similar to itself stays in the caches. Heads are read where they lie.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "kernel.h"
#include "product.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// Products that are worth handing over to another thread.
constexpr int64_t kLeastAttended = 200000;

// Heads lie side by side in the channels of queries, [images, tokens, channels], and of keys and values, [images, keys, channels].
struct SoftmaxAttention {
  int64_t images, heads, tokens, keys, channels;
  float scale;
  const float *q, *k, *v;
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

// Takes a head's keys and values, [keys, channels] both; the last key fills up the columns.
void Gather(const SoftmaxAttention &attention, const float *k, const float *v, const Scratch &scratch) {
  const int64_t width = attention.width(), stride = scratch.stride;
  for (int64_t key = 0; key < stride; key++) {
    const int64_t place = std::min(key, attention.keys - 1) * attention.channels;
    for (int64_t c = 0; c < width; c++) scratch.columns.data()[c * stride + key] = k[place + c];
    if (key < attention.keys) std::copy_n(v + place, width, scratch.values.data() + key * width);
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
    const int64_t keys = image * attention.keys * channels + channel, token = (image * attention.tokens + first) * channels + channel;
    if (gathered != place) Gather(attention, attention.k + keys, attention.v + keys, scratch);
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
  int64_t heads;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &heads, status);
  }
};

void ComputeSoftmaxAttention(void *settings, TF_OpKernelContext *context) {
  const int64_t heads = static_cast<SoftmaxSettings *>(settings)->heads;
  const Array q = InputOf(context, 0), k = InputOf(context, 1), v = InputOf(context, 2);
  if (q.rank() != 3 || heads < 1 || q.size(2) % heads != 0) {
    throw std::runtime_error("queries: expected [images, tokens, a multiple of " + std::to_string(heads) + "], received " + q.shape());
  }
  const int64_t images = q.size(0), tokens = q.size(1), channels = q.size(2), keys = k.rank() == 3 ? k.size(1) : 0;
  if (keys < 1) throw std::runtime_error("keys: expected [images, keys, channels], received " + k.shape());
  k.Expect("keys", {images, keys, channels});
  v.Expect("values", {images, keys, channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {images, tokens, channels});
  if (images * tokens * channels == 0) return;
  const float scale = 1 / std::sqrt(static_cast<float>(channels / heads));
  const SoftmaxAttention attention{images, heads, tokens, keys, channels, scale, q.data<float>(), k.data<float>(), v.data<float>(),
                                   y.data<float>()};
  const int64_t products = 2 * kRows * keys * attention.width();
  InParts(images * heads * attention.blocks(), (kLeastAttended + products - 1) / products,
          [&](int64_t begin, int64_t end) { RunLoops<AttendBlocks>(&attention, begin, end); });
}

const bool isSoftmaxAttentionRegistered = Register({"PyramidalSoftmaxAttention",
                                                    {"heads: int"},
                                                    {"queries: float", "keys: float", "values: float"},
                                                    {"output: float"},
                                                    false,
                                                    &CreateSettings<SoftmaxSettings>,
                                                    &RunKernel<ComputeSoftmaxAttention>,
                                                    &DeleteSettings<SoftmaxSettings>});

}  // namespace
}  // namespace pyramidal
