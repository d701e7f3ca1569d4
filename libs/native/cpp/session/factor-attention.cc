// Factorised attention with relative positions (Xu et al., "Co-Scale Conv-Attentional Image Transformers", ICCV 2021, equations 5
// and 6): s q (softmax(k)^T v) + q p per head, the softmax over the tokens. Tokens are taken in strips whose sums are put together
// in their order, so that the result is the same with any number of threads.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernel.h"
#include "threads.h"
#include "vectors.h"

namespace pyramidal {
namespace {

// Tokens of a strip.
constexpr int64_t kStrip = 256;
// Rows of products that are summed side by side.
constexpr int kSums = 8;
// Products that are worth handing over to another thread.
constexpr int64_t kLeastAttention = 100000;

// Queries, keys and values, [images, tokens, 3 channels], lie side by side; all heads in each.
struct FactorAttention {
  int64_t images, tokens, channels, heads;
  float scale;
  const float *qkv, *positions;
  float *y;
  // Of each image, strip and head: the keys' maxima [width], the sums of their exponentials [width], the context [width, width].
  float *strips;

  int64_t width() const { return channels / heads; }
  int64_t stripCount() const { return (tokens + kStrip - 1) / kStrip; }
  int64_t stripSize() const { return width() * (width() + 2); }
  float *strip(int64_t image, int64_t strip, int64_t head) const {
    return strips + ((image * stripCount() + strip) * heads + head) * stripSize();
  }
  const float *at(int64_t image, int64_t token) const { return qkv + (image * tokens + token) * 3 * channels; }
};

// Calls `work(c)` for vectors that cover `channels`, of which the last overlaps the one before.
template <typename V, typename Work>
PYRAMIDAL_INLINE void ForEachVector(int64_t channels, Work work) {
  constexpr int64_t lanes = kLanes<V>;
  for (int64_t c = 0; c < channels; c += lanes) work(std::min(c, channels - lanes));
}

// Maxima, exponentials [tokens, width], their sums, and the context of a strip of one head.
template <typename V>
PYRAMIDAL_INLINE void AttendStrip(const FactorAttention &attention, int64_t image, int64_t strip, int64_t head, float *exps) {
  const int64_t width = attention.width(), stride = 3 * attention.channels;
  if constexpr (kLanes<V> > 1) {
    if (width < kLanes<V>) return AttendStrip<Narrower<V>>(attention, image, strip, head, exps);
  }
  const int64_t first = strip * kStrip, count = std::min(kStrip, attention.tokens - first);
  const float *keys = attention.at(image, first) + attention.channels + head * width;
  const float *values = keys + attention.channels;
  float *maxima = attention.strip(image, strip, head), *sums = maxima + width, *context = sums + width;
  ForEachVector<V>(width, [&](int64_t c) __attribute__((always_inline)) {
    V most = Load<V>(keys + c);
    for (int64_t t = 1; t < count; t++) most = Most(most, Load<V>(keys + t * stride + c));
    V sum = {};
    for (int64_t t = 0; t < count; t++) {
      const V e = Exp<V>(Load<V>(keys + t * stride + c) - most);
      sum += e;
      Store(e, exps + t * width + c);
    }
    Store(most, maxima + c);
    Store(sum, sums + c);
  });
  for (int64_t row = 0; row < width; row += kSums) {
    const int64_t from = std::max<int64_t>(0, std::min(row, width - kSums)), rows = std::min<int64_t>(kSums, width);
    ForEachVector<V>(width, [&](int64_t c) __attribute__((always_inline)) {
      V products[kSums] = {};
      for (int64_t t = 0; t < count; t++) {
        const V value = Load<V>(values + t * stride + c);
        const float *e = exps + t * width + from;
#pragma GCC unroll 8
        for (int i = 0; i < kSums; i++) products[i] += e[i] * value;
      }
      for (int64_t i = 0; i < rows; i++) Store(products[i], context + (from + i) * width + c);
    });
  }
}

// Puts the strips of a head together in the first one: the normalised context, times the scale.
void JoinStrips(const FactorAttention &attention, int64_t image, int64_t head) {
  const int64_t width = attention.width();
  float *const maxima = attention.strip(image, 0, head), *const sums = maxima + width, *const context = sums + width;
  for (int64_t i = 0; i < width; i++) {
    float most = maxima[i];
    for (int64_t s = 1; s < attention.stripCount(); s++) most = std::max(most, attention.strip(image, s, head)[i]);
    float sum = 0;
    for (int64_t s = 0; s < attention.stripCount(); s++) {
      const float *const other = attention.strip(image, s, head);
      const float factor = std::exp(other[i] - most);
      sum += other[width + i] * factor;
      const float *const row = other + (2 + i) * width;
      for (int64_t j = 0; j < width; j++) context[i * width + j] = (s == 0 ? 0 : context[i * width + j]) + row[j] * factor;
    }
    for (int64_t j = 0; j < width; j++) context[i * width + j] *= attention.scale / sum;
  }
}

// What a strip of queries of one head finds.
template <typename V>
PYRAMIDAL_INLINE void AnswerStrip(const FactorAttention &attention, int64_t image, int64_t strip, int64_t head) {
  const int64_t width = attention.width(), channels = attention.channels;
  if constexpr (kLanes<V> > 1) {
    if (width < kLanes<V>) return AnswerStrip<Narrower<V>>(attention, image, strip, head);
  }
  const float *const context = attention.strip(image, 0, head) + 2 * width;
  const int64_t end = std::min(attention.tokens, (strip + 1) * kStrip);
  for (int64_t token = strip * kStrip; token < end; token += kSums) {
    const int64_t count = std::min<int64_t>(kSums, end - token), place = (image * attention.tokens + token) * channels + head * width;
    const float *const queries = attention.at(image, token) + head * width;
    // Rows beyond the last token are that token's again.
    int64_t rows[kSums];
    for (int64_t i = 0; i < kSums; i++) rows[i] = std::min(i, count - 1);
    ForEachVector<V>(width, [&](int64_t c) __attribute__((always_inline)) {
      V sums[kSums] = {};
      for (int64_t k = 0; k < width; k++) {
        const V row = Load<V>(context + k * width + c);
#pragma GCC unroll 8
        for (int i = 0; i < kSums; i++) sums[i] += queries[rows[i] * 3 * channels + k] * row;
      }
      for (int64_t i = 0; i < count; i++) {
        const V query = Load<V>(queries + i * 3 * channels + c);
        const V position = Load<V>(attention.positions + place + i * channels + c);
        Store(sums[i] + query * position, attention.y + place + i * channels + c);
      }
    });
  }
}

struct AttendStrips {
  // Units `begin..end`, each an image, a strip and a head.
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const FactorAttention *attention, int64_t begin, int64_t end) {
    // A few more, since products are read in groups of `kSums`.
    std::vector<float> exps(kStrip * attention->width() + kSums);
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t place = unit / attention->heads, strips = attention->stripCount();
      AttendStrip<V>(*attention, place / strips, place % strips, unit % attention->heads, exps.data());
    }
  }
};

struct AnswerStrips {
  template <typename V>
  PYRAMIDAL_INLINE static void Run(const FactorAttention *attention, int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; unit++) {
      const int64_t place = unit / attention->heads, strips = attention->stripCount();
      AnswerStrip<V>(*attention, place / strips, place % strips, unit % attention->heads);
    }
  }
};

struct FactorSettings {
  int64_t heads;
  float scale;

  void Read(TF_OpKernelConstruction *construction, TF_Status *status) {
    TF_OpKernelConstruction_GetAttrInt64(construction, "heads", &heads, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrFloat(construction, "scale", &scale, status);
  }
};

void ComputeFactorAttention(void *settings, TF_OpKernelContext *context) {
  const auto &[heads, scale] = *static_cast<FactorSettings *>(settings);
  const Array qkv = InputOf(context, 0), positions = InputOf(context, 1);
  if (qkv.rank() != 3 || heads < 1 || qkv.size(2) % (3 * heads) != 0) {
    throw std::runtime_error("qkv: expected [images, tokens, three times a multiple of " + std::to_string(heads) + "], received " +
                             qkv.shape());
  }
  const int64_t images = qkv.size(0), tokens = qkv.size(1), channels = qkv.size(2) / 3;
  positions.Expect("positions", {images, tokens, channels});
  const Array y = OutputOf(context, 0, TF_FLOAT, {images, tokens, channels});
  FactorAttention attention{images,           tokens, channels, heads, scale, qkv.data<float>(), positions.data<float>(), y.data<float>(),
                      nullptr};
  if (images * tokens * channels == 0) return;
  const int64_t units = images * attention.stripCount() * heads;
  std::vector<float> strips(units * attention.stripSize());
  attention.strips = strips.data();
  const int64_t products = std::max<int64_t>(1, std::min(kStrip, tokens) * attention.width() * attention.width());
  const int64_t least = (kLeastAttention + products - 1) / products;
  InParts(units, least, [&](int64_t begin, int64_t end) { RunLoops<AttendStrips>(&attention, begin, end); });
  for (int64_t image = 0; image < images; image++) {
    for (int64_t head = 0; head < heads; head++) JoinStrips(attention, image, head);
  }
  InParts(units, least, [&](int64_t begin, int64_t end) { RunLoops<AnswerStrips>(&attention, begin, end); });
}

const bool isFactorAttentionRegistered = Register({"PyramidalFactorAttention",
                                             {"heads: int", "scale: float"},
                                             {"qkv: float", "positions: float"},
                                             {"output: float"},
                                             false,
                                             &CreateSettings<FactorSettings>,
                                             &RunKernel<ComputeFactorAttention>,
                                             &DeleteSettings<FactorSettings>});

}  // namespace
}  // namespace pyramidal
