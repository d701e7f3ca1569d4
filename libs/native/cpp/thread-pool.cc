// One set of threads for whole operations and for the parts of large ones.
//
// TensorFlow runs operations that are ready in one pool of threads and cuts the larger ones into parts for a second
// pool. On two processors that is four threads and as many calls to sleep and wake as there are parts, most of which take
// microseconds. Here a part goes to another thread only if that one has nothing to do; otherwise it runs at once where
// it is. So operations run beside each other as far as the graph allows and share the processors that are left over.
//
// The library is searched before TensorFlow's own, so TensorFlow finds its constructor of thread pools here: the pools of
// a device (`..._Eigen`) and of sessions (`Compute`) become these, every other pool is TensorFlow's.
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace Eigen {

// The interface by which TensorFlow calls a thread pool, after Eigen/src/ThreadPool/ThreadPoolInterface.h.
class ThreadPoolInterface {
 public:
  virtual void Schedule(std::function<void()> fn) = 0;
  virtual void ScheduleWithHint(std::function<void()> fn, int start, int end) = 0;
  virtual void Cancel() = 0;
  virtual int NumThreads() const = 0;
  virtual int CurrentThreadId() const = 0;
  virtual ~ThreadPoolInterface() {}
};

}  // namespace Eigen

namespace {

using Task = std::function<void()>;
using Clock = std::chrono::steady_clock;

constexpr int kMostThreads = 64;  // as many as a mask has bits
// Within a step a thread has something to do again sooner than it could be woken.
constexpr std::chrono::microseconds kSpin{200};

thread_local int thread_index = -1;

// Numbers too small for the usual exponents count as zero, as in TensorFlow's threads: processors take a hundred times as
// long for them.
void FlushDenormals() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
  std::uint64_t control;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(control));
  __asm__ __volatile__("msr fpcr, %0" : : "r"(control | (std::uint64_t{1} << 24)));
#endif
}

// Threads that run what they are given. A thread is idle while it waits for a task, awake at first, then asleep.
class Workers {
 public:
  explicit Workers(int count) : count_(count), workers_(new Worker[count]) {
    for (int i = 0; i < count; i++) std::thread([this, i] { Loop(i); }).detach();
  }

  int count() const { return count_; }

  // Gives the task to an idle thread; false, and the task as it was, if none but `reserved` are idle.
  bool HandOver(Task &task, int reserved = 0) {
    std::uint64_t idle = idle_.load();
    while (__builtin_popcountll(idle) > reserved) {
      const std::uint64_t awake = idle & ~asleep_.load(std::memory_order_relaxed);
      const int i = __builtin_ctzll(awake != 0 ? awake : idle);
      if (!idle_.compare_exchange_weak(idle, idle & ~Bit(i))) continue;
      Give(i, std::move(task));
      return true;
    }
    return false;
  }

  // Has the task run by the first thread that is idle.
  void Queue(Task task) {
    if (HandOver(task)) return;
    Put(std::move(task), Place::kLast);
    // A thread that has become idle meanwhile may have looked before the task was there.
    Task next;
    while (idle_.load() != 0 && Take(next)) {
      if (!HandOver(next)) Put(std::move(next), Place::kFirst);
    }
  }

 private:
  struct alignas(64) Worker {
    std::atomic<bool> given{false};
    Task task;
    std::mutex mutex;
    std::condition_variable wake;
  };

  enum class Place { kFirst, kLast };

  static std::uint64_t Bit(int i) { return std::uint64_t{1} << i; }

  void Give(int i, Task task) {
    Worker &worker = workers_[i];
    worker.task = std::move(task);
    worker.given.store(true);
    if ((asleep_.load() & Bit(i)) == 0) return;
    std::lock_guard<std::mutex> lock(worker.mutex);
    worker.wake.notify_one();
  }

  [[noreturn]] void Loop(int i) {
    thread_index = i;
    pthread_setname_np(pthread_self(), "pyramidal");
    FlushDenormals();
    while (true) {
      Task task;
      if (!Take(task)) {
        idle_.fetch_or(Bit(i));
        const bool missed = queued_.load() != 0;
        if (missed && (idle_.fetch_and(~Bit(i)) & Bit(i)) != 0) continue;
        task = Wait(i);
      }
      task();
    }
  }

  Task Wait(int i) {
    Worker &self = workers_[i];
    const Clock::time_point end = Clock::now() + kSpin;
    while (!self.given.load() && Clock::now() < end) {
      for (int spin = 0; spin < 64 && !self.given.load(std::memory_order_relaxed); spin++) Pause();
    }
    if (!self.given.load()) {
      std::unique_lock<std::mutex> lock(self.mutex);
      asleep_.fetch_or(Bit(i));
      self.wake.wait(lock, [&self] { return self.given.load(); });
      asleep_.fetch_and(~Bit(i));
    }
    Task task = std::move(self.task);
    self.task = nullptr;
    self.given.store(false);
    return task;
  }

  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
  }

  bool Take(Task &task) {
    if (queued_.load() == 0) return false;
    std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.empty()) return false;
    task = std::move(queue_.front());
    queue_.pop_front();
    queued_.store(queue_.size());
    return true;
  }

  void Put(Task task, Place place) {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.insert(place == Place::kFirst ? queue_.begin() : queue_.end(), std::move(task));
    queued_.store(queue_.size());
  }

  const int count_;
  const std::unique_ptr<Worker[]> workers_;
  std::atomic<std::uint64_t> idle_{0};
  std::atomic<std::uint64_t> asleep_{0};
  std::mutex mutex_;
  std::deque<Task> queue_;
  std::atomic<std::size_t> queued_{0};
};

class Pool : public Eigen::ThreadPoolInterface {
 public:
  explicit Pool(Workers *workers) : workers_(workers) {}
  void ScheduleWithHint(Task fn, int, int) override { Schedule(std::move(fn)); }
  void Cancel() override {}
  int NumThreads() const override { return workers_->count(); }

 protected:
  Workers *const workers_;
};

// What a session gives operations that are ready to.
class OperationPool : public Pool {
 public:
  using Pool::Pool;

  void Schedule(Task operation) override {
    if (thread_index < 0) AfterPause();
    workers_->Queue(std::move(operation));
  }

  int CurrentThreadId() const override { return thread_index; }

 private:
  // Optimizing a graph takes seconds and leaves much unused memory in the heap, which goes back before the step takes its
  // own.
  void AfterPause() {
    const Clock::duration now = Clock::now().time_since_epoch();
    const Clock::duration last{last_.exchange(now.count())};
#if defined(__GLIBC__)
    if (now - last > std::chrono::seconds(1)) malloc_trim(0);
#endif
  }

  std::atomic<Clock::rep> last_{0};
};

// What an operation gives its parts to. Only parts that nobody touches again before they have ended may run at once where
// they are: those of Eigen's `parallelFor` and of oneDNN. Whatever else there is, such as Eigen's products of matrices,
// whose parts give each other work, goes to TensorFlow's own pool.
class PartPool : public Pool {
 public:
  PartPool(Workers *workers, Eigen::ThreadPoolInterface *own) : Pool(workers), own_(own) {}

  void Schedule(Task fn) override {
    const char *name = fn.target_type().name();
    const bool begins = Has(name, "11parallelFor") || Has(name, "OneDnnThreadPool");
    if (!begins && !Has(name, "11handleRange")) return own_->Schedule(std::move(fn));
    // The first task of an operation of many parts only begins these, and the thread that gives it waits.
    if (begins && depth == 0) return Run(fn);
    const bool fromOutside = outside || thread_index < 0;
    Task part = [fn = std::move(fn), fromOutside] {
      const bool before = std::exchange(outside, fromOutside);
      Run(fn);
      outside = before;
    };
    if (!workers_->HandOver(part, fromOutside ? 1 : 0)) part();
  }

  // oneDNN works in one thread if it is told that this thread is one of the pool: such is only one that runs a part.
  int CurrentThreadId() const override { return depth > 0 ? thread_index : own_->CurrentThreadId(); }

 private:
  static bool Has(const char *name, const char *part) { return std::strstr(name, part) != nullptr; }

  static void Run(const Task &fn) {
    depth++;
    fn();
    depth--;
  }

  Eigen::ThreadPoolInterface *const own_;
  // How many tasks of this pool the thread is in, and whether they are of an operation that runs in none of the workers:
  // its own thread needs a processor too.
  static thread_local int depth;
  static thread_local bool outside;
};

thread_local int PartPool::depth = 0;
thread_local bool PartPool::outside = false;

// The threads of the process, or null if it has another number of them.
Workers *SharedWorkers(int count) {
  if (count < 2 || count > kMostThreads) return nullptr;
  static Workers *const workers = new Workers(count);
  return workers->count() == count ? workers : nullptr;
}

bool IsOnProcessors() {
  const char *devices = std::getenv("CUDA_VISIBLE_DEVICES");
  return devices != nullptr && std::strcmp(devices, "-1") == 0;
}

bool EndsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

template <typename Function>
Function Next(const char *symbol) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol));
}

}  // namespace

// tsl::thread::ThreadPool::ThreadPool(Env *, const ThreadOptions &, const std::string &, int, bool, Eigen::Allocator *)
#define POOL_CONSTRUCTOR(variant)                                                                              \
  "_ZN3tsl6thread10ThreadPool" variant                                                                         \
  "EPNS_3EnvERKNS_13ThreadOptionsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEibPN5Eigen9AllocatorE"
// tsl::thread::ThreadPool::ThreadPool(ThreadPoolInterface *)
#define POOL_OF_INTERFACE "_ZN3tsl6thread10ThreadPoolC1EPNS0_19ThreadPoolInterfaceE"
// Eigen::ThreadPoolInterface *tsl::thread::ThreadPool::AsEigenThreadPool() const
#define INTERFACE_OF_POOL "_ZNK3tsl6thread10ThreadPool17AsEigenThreadPoolEv"

extern "C" {

// Constructors of a complete object and of a base, which are the same for this class.
__attribute__((visibility("default"))) void ConstructPool(void *self, void *env, const void *options,
                                                          const std::string &name, int threads, bool spins,
                                                          void *allocator) __asm__(POOL_CONSTRUCTOR("C1"));
__attribute__((visibility("default"), alias(POOL_CONSTRUCTOR("C1")))) void ConstructBasePool(
    void *self, void *env, const void *options, const std::string &name, int threads, bool spins,
    void *allocator) __asm__(POOL_CONSTRUCTOR("C2"));

void ConstructPool(void *self, void *env, const void *options, const std::string &name, int threads, bool spins,
                   void *allocator) {
  static const auto original = Next<decltype(&ConstructPool)>(POOL_CONSTRUCTOR("C1"));
  static const auto fromInterface = Next<void (*)(void *, Eigen::ThreadPoolInterface *)>(POOL_OF_INTERFACE);
  static const auto interfaceOf = Next<Eigen::ThreadPoolInterface *(*)(const void *)>(INTERFACE_OF_POOL);
  const bool isForOperations = EndsWith(name, "Compute");
  const bool isForParts = EndsWith(name, "_Eigen");
  const bool isKnown = (isForOperations || isForParts) && fromInterface != nullptr && interfaceOf != nullptr;
  Workers *const workers = isKnown && IsOnProcessors() ? SharedWorkers(threads) : nullptr;
  if (workers == nullptr) {
    original(self, env, options, name, threads, spins, allocator);
  } else if (isForOperations) {
    fromInterface(self, new OperationPool(workers));
  } else {
    // Lives as long as the process, and takes a few dozen bytes.
    void *const own = ::operator new(4096);
    original(own, env, options, name, threads, spins, allocator);
    fromInterface(self, new PartPool(workers, interfaceOf(own)));
  }
}
}
