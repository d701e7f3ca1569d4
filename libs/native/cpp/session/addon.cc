// The Node-API of sessions: `new Session(options)`, `prepare`, `run`, `close`; of servers: `startServer(definition)`; of
// the heap: `trimHeap()`; of pictures: `decodeJpeg(file, pixels, width, height)`.
#include <node_api.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "call.h"
#include "exchange.h"
#include "heap.h"
#include "jpeg-work.h"
#include "library-pages.h"
#include "server.h"
#include "session.h"
#include "tensorflow/core/framework/step_stats.pb.h"

namespace pyramidal {
namespace {

using tensorflow::Tensor;

// Tells our objects from others that a method may be called on.
constexpr napi_type_tag kSessionTag = {0x6d1d8a5f0c2b4e37, 0x9b6e1f7a45c30d82};

napi_value Property(napi_env env, napi_value object, const char *name) {
  napi_value value;
  Require(env, napi_get_named_property(env, object, name, &value));
  return value;
}

std::string TextOf(napi_env env, napi_value value) {
  size_t length = 0;
  Require(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  Require(env, napi_get_value_string_utf8(env, value, &text[0], length + 1, &length));
  return text;
}

bool FlagOf(napi_env env, napi_value value) {
  bool flag = false;
  Require(env, napi_get_value_bool(env, value, &flag));
  return flag;
}

uint32_t LengthOf(napi_env env, napi_value list) {
  uint32_t length = 0;
  Require(env, napi_get_array_length(env, list, &length));
  return length;
}

napi_value ElementOf(napi_env env, napi_value list, uint32_t i) {
  napi_value element;
  Require(env, napi_get_element(env, list, i, &element));
  return element;
}

std::vector<std::string> TextsOf(napi_env env, napi_value list) {
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < LengthOf(env, list); i++) texts.push_back(TextOf(env, ElementOf(env, list, i)));
  return texts;
}

std::string CopyOf(napi_env env, napi_value array) {
  const Bytes bytes = BytesOf(env, array);
  return std::string(bytes.data, bytes.size);
}

// A tensor of the values in a typed array, as the placeholder takes it.
Tensor TensorOf(napi_env env, napi_value array, const Feed &feed) {
  const Bytes bytes = BytesOf(env, array);
  tensorflow::TensorShape shape;
  if (!feed.shape.AsTensorShape(&shape)) throw std::runtime_error(feed.name + " has no fixed shape");
  Tensor tensor(feed.dtype, shape);
  const size_t expected = tensor.tensor_data().size();
  if (bytes.size != expected) {
    throw std::runtime_error(feed.name + ": expected " + std::to_string(expected) + " bytes, received " +
                             std::to_string(bytes.size));
  }
  if (expected > 0) std::memcpy(const_cast<char *>(tensor.tensor_data().data()), bytes.data, expected);
  return tensor;
}

// Values of a tensor of at most so many bytes as a typed array, or undefined: `PyramidalFromSession` has it.
napi_value Handed(napi_env env, Tensor tensor, int most) {
  static const std::unordered_map<int, napi_typedarray_type> kTypes = {
      {tensorflow::DT_FLOAT, napi_float32_array},
      {tensorflow::DT_INT32, napi_int32_array},
      {tensorflow::DT_BOOL, napi_uint8_array},
  };
  napi_value result;
  const auto type = kTypes.find(tensor.dtype());
  if (type == kTypes.end() || static_cast<int64_t>(tensor.TotalBytes()) > most) {
    FromSession().push_back(std::move(tensor));
    Require(env, napi_get_undefined(env, &result));
    return result;
  }
  const auto content = tensor.tensor_data();
  void *data = nullptr;
  napi_value buffer;
  Require(env, napi_create_arraybuffer(env, content.size(), &data, &buffer));
  if (!content.empty()) std::memcpy(data, content.data(), content.size());
  Require(env, napi_create_typedarray(env, type->second, tensor.NumElements(), buffer, 0, &result));
  return result;
}

void Set(napi_env env, napi_value object, const char *name, napi_value value) {
  Require(env, napi_set_named_property(env, object, name, value));
}

napi_value TextValue(napi_env env, const std::string &text) {
  napi_value value;
  Require(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

napi_value NumberValue(napi_env env, double number) {
  napi_value value;
  Require(env, napi_create_double(env, number, &value));
  return value;
}

// What cards ran is told in microseconds alone.
double Micros(int64_t nanos, int64_t micros) { return nanos != 0 ? nanos / 1e3 : static_cast<double>(micros); }

// What ran when: `{ device, node, label, thread, start, duration }[]`, in microseconds.
napi_value Trace(napi_env env, const tensorflow::RunMetadata &metadata) {
  napi_value list;
  Require(env, napi_create_array(env, &list));
  uint32_t count = 0;
  for (const auto &device : metadata.step_stats().dev_stats()) {
    for (const auto &node : device.node_stats()) {
      napi_value entry;
      Require(env, napi_create_object(env, &entry));
      Set(env, entry, "device", TextValue(env, device.device()));
      Set(env, entry, "node", TextValue(env, node.node_name()));
      Set(env, entry, "label", TextValue(env, node.timeline_label()));
      Set(env, entry, "thread", NumberValue(env, node.thread_id()));
      const double begin = Micros(node.op_start_rel_nanos(), node.op_start_rel_micros());
      const double end = Micros(node.op_end_rel_nanos(), node.op_end_rel_micros());
      Set(env, entry, "start", NumberValue(env, Micros(node.all_start_nanos(), node.all_start_micros()) + begin));
      Set(env, entry, "duration", NumberValue(env, end - begin));
      Require(env, napi_set_element(env, list, count++, entry));
    }
  }
  return list;
}

void Delete(napi_env, void *session, void *) { delete static_cast<std::unique_ptr<GraphSession> *>(session); }

// `new Session({ config, target, graph, threads })`.
napi_value Open(const Call &call) {
  const auto &[env, self, arguments] = call;
  const napi_value options = arguments[0];
  auto holder = std::make_unique<std::unique_ptr<GraphSession>>(std::make_unique<GraphSession>(
      CopyOf(env, Property(env, options, "config")), TextOf(env, Property(env, options, "target")),
      CopyOf(env, Property(env, options, "graph")), IntegerOf(env, Property(env, options, "threads"))));
  Require(env, napi_wrap(env, self, holder.get(), &Delete, nullptr, nullptr));
  holder.release();
  Require(env, napi_type_tag_object(env, self, &kSessionTag));
  return self;
}

std::unique_ptr<GraphSession> &HolderOf(const Call &call) {
  bool isOurs = false;
  const napi_status status = napi_check_object_type_tag(call.env, call.self, &kSessionTag, &isOurs);
  if (status != napi_ok || !isOurs) throw std::runtime_error("this is no session");
  void *holder = nullptr;
  Require(call.env, napi_unwrap(call.env, call.self, &holder));
  return *static_cast<std::unique_ptr<GraphSession> *>(holder);
}

GraphSession &SessionOf(const Call &call) {
  const auto &holder = HolderOf(call);
  if (holder == nullptr) throw std::runtime_error("the session is closed");
  return *holder;
}

// `prepare({ feeds, fetches, targets, traced, rewritten })` returns the run's number.
napi_value Prepare(const Call &call) {
  const auto &[env, self, arguments] = call;
  const napi_value options = arguments[0];
  const RunNames run{TextsOf(env, Property(env, options, "feeds")), TextsOf(env, Property(env, options, "fetches")),
                TextsOf(env, Property(env, options, "targets")), FlagOf(env, Property(env, options, "traced")),
                FlagOf(env, Property(env, options, "rewritten"))};
  return NumberValue(env, SessionOf(call).Prepare(run));
}

// The values of each feed: a typed array, or undefined for the next tensor that `PyramidalToSession` was given.
std::vector<Tensor> FeedsOf(const Call &call, const std::vector<Feed> &expected, napi_value values) {
  const napi_env env = call.env;
  const uint32_t count = LengthOf(env, values);
  if (count != expected.size()) {
    throw std::runtime_error("expected " + std::to_string(expected.size()) + " tensors, received " +
                             std::to_string(count));
  }
  std::vector<Tensor> feeds;
  for (uint32_t i = 0; i < count; i++) {
    const napi_value value = ElementOf(env, values, i);
    napi_valuetype type;
    Require(env, napi_typeof(env, value, &type));
    if (type != napi_undefined) {
      feeds.push_back(TensorOf(env, value, expected[i]));
    } else if (ToSession().empty()) {
      throw std::runtime_error(expected[i].name + ": no tensor is given");
    } else {
      feeds.push_back(std::move(ToSession().front()));
      ToSession().pop_front();
    }
  }
  return feeds;
}

// `{ graph, fetches }`.
napi_value RewrittenValue(napi_env env, const Rewritten &rewritten) {
  napi_value value, graph, fetches;
  Require(env, napi_create_object(env, &value));
  Require(env, napi_create_buffer_copy(env, rewritten.graph.size(), rewritten.graph.data(), nullptr, &graph));
  Require(env, napi_create_array_with_length(env, rewritten.fetches.size(), &fetches));
  for (size_t i = 0; i < rewritten.fetches.size(); i++) {
    Require(env, napi_set_element(env, fetches, i, TextValue(env, rewritten.fetches[i])));
  }
  Set(env, value, "graph", graph);
  Set(env, value, "fetches", fetches);
  return value;
}

// `run(number, feeds, valuesUpTo)` returns `{ outputs, trace, rewritten }`.
napi_value Execute(const Call &call) {
  const auto &[env, self, arguments] = call;
  FromSession().clear();
  // However the run ends, nothing of it is left for the next.
  struct Emptied {
    ~Emptied() { ToSession().clear(); }
  } emptied;
  GraphSession &session = SessionOf(call);
  const int run = IntegerOf(env, arguments[0]);
  const int valuesUpTo = IntegerOf(env, arguments[2]);
  const std::vector<Tensor> feeds = FeedsOf(call, session.FeedsOf(run), arguments[1]);
  RunResult given = session.Execute(run, feeds);
  napi_value result, outputs;
  Require(env, napi_create_object(env, &result));
  Require(env, napi_create_array_with_length(env, given.outputs.size(), &outputs));
  for (size_t i = 0; i < given.outputs.size(); i++) {
    Require(env, napi_set_element(env, outputs, i, Handed(env, std::move(given.outputs[i]), valuesUpTo)));
  }
  Set(env, result, "outputs", outputs);
  if (given.metadata.has_step_stats()) Set(env, result, "trace", Trace(env, given.metadata));
  if (!given.rewritten.graph.empty()) Set(env, result, "rewritten", RewrittenValue(env, given.rewritten));
  return result;
}

napi_value Nothing(napi_env env) {
  napi_value none;
  Require(env, napi_get_undefined(env, &none));
  return none;
}

napi_value Close(const Call &call) {
  HolderOf(call).reset();
  return Nothing(call.env);
}

// `startServer(definition)` returns the address for sessions.
napi_value Start(const Call &call) { return TextValue(call.env, StartServer(CopyOf(call.env, call.arguments[0]))); }

napi_value Trim(const Call &call) {
  TrimHeap();
  ReleaseLibraryPages();
  return Nothing(call.env);
}

// Threads that decode pictures load this addon too.
void PrepareProcess() {
  static std::once_flag once;
  std::call_once(once, [] {
    LimitHeap();
    ReleaseLibraryPages();
  });
}

napi_value Initialize(napi_env env, napi_value exports) {
  PrepareProcess();
  const auto method = [](const char *name, napi_callback function) {
    return napi_property_descriptor{name, nullptr, function, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  };
  const napi_property_descriptor methods[] = {method("prepare", &Guarded<Prepare>), method("run", &Guarded<Execute>),
                                              method("close", &Guarded<Close>)};
  napi_value session;
  napi_define_class(env, "Session", NAPI_AUTO_LENGTH, &Guarded<Open>, nullptr, 3, methods, &session);
  napi_set_named_property(env, exports, "Session", session);
  const auto give = [env, exports](const char *name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  give("startServer", &Guarded<Start>);
  give("trimHeap", &Guarded<Trim>);
  if (HasJpegDecoder()) give("decodeJpeg", &Guarded<StartJpegWork>);
  return exports;
}

}  // namespace
}  // namespace pyramidal

NAPI_MODULE(pyramidal_session, pyramidal::Initialize)
