// Where TensorFlow's operations and their parts run.
//
// TensorFlow runs operations that are ready in one pool of threads and cuts the larger ones into parts for a second
// pool. On two processors that is four threads and as many calls to sleep and wake as there are parts, most of which take
// microseconds. Here a part goes to another thread only if that one has nothing to do; otherwise it runs at once where
// it is. So operations run beside each other as far as the graph allows and share the processors that are left over.
#include "threads.h"

#include <pthread.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "heap.h"
#include "tsl/platform/env.h"
#include "xla/tsl/platform/threadpool.h"

namespace pyramidal {
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

void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
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

class Pool : public tsl::thread::ThreadPoolInterface {
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
    if (now - last > std::chrono::seconds(1)) TrimHeap();
  }

  std::atomic<Clock::rep> last_{0};
};

// What an operation gives its parts to. Only parts that nobody touches again before they have ended may run at once where
// they are: those of Eigen's `parallelFor`, of its sums over whole tensors, and of oneDNN. Whatever else there is, such as
// Eigen's products of matrices, whose parts give each other work, goes to a pool of TensorFlow's kind.
class PartPool : public Pool {
 public:
  PartPool(Workers *workers, Eigen::ThreadPoolInterface *own) : Pool(workers), own_(own) {}

  void Schedule(Task fn) override {
    const char *name = fn.target_type().name();
    const bool begins = Has(name, "11parallelFor") || Has(name, "OneDnnThreadPool");
    const bool isPart = Has(name, "11handleRange") || Has(name, "11FullReducer");
    if (!begins && !isPart) return own_->Schedule(std::move(fn));
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

// The pieces of an operation. Who has nothing to do takes the next one, so that nobody waits while there are some.
class Pieces {
 public:
  // `run(i)` is called for 0..count, and by nobody once `Wait` has returned.
  Pieces(int64_t count, const std::function<void(int64_t)> &run) : count_(count), run_(run), undone_(count) {}

  // Of those that nobody has taken.
  int64_t left() const { return count_ - next_.load(std::memory_order_relaxed); }

  // Runs the next piece; false if none is left.
  bool RunNext() {
    const int64_t i = next_.fetch_add(1);
    if (i >= count_) return false;
    run_(i);
    std::lock_guard<std::mutex> lock(mutex_);
    if (--undone_ == 0) all_.notify_one();
    return true;
  }

  // What is left is pieces that other threads are at, and soon done.
  void Wait() {
    const Clock::time_point end = Clock::now() + kSpin;
    while (undone_.load(std::memory_order_relaxed) != 0 && Clock::now() < end) {
      for (int spin = 0; spin < 64 && undone_.load(std::memory_order_relaxed) != 0; spin++) Pause();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    all_.wait(lock, [this] { return undone_ == 0; });
  }

 private:
  const int64_t count_;
  const std::function<void(int64_t)> &run_;
  std::atomic<int64_t> next_{0}, undone_;
  std::mutex mutex_;
  std::condition_variable all_;
};

struct Pools {
  explicit Pools(int count)
      : workers(count),
        own(tsl::Env::Default(), tsl::ThreadOptions(), "parts", count, true),
        operations(&workers),
        parts(&workers, own.AsEigenThreadPool()) {}

  Workers workers;
  tsl::thread::ThreadPool own;
  OperationPool operations;
  PartPool parts;
};

std::atomic<Pools *> process_pools{nullptr};

}  // namespace

tsl::thread::ThreadPoolOptions PoolsOf(int threads) {
  if (threads < 2 || threads > kMostThreads) return {};
  // Lives as long as the process: its threads may hold work of any session.
  static Pools *const pools = new Pools(threads);
  process_pools.store(pools);
  if (pools->workers.count() != threads) return {};
  tsl::thread::ThreadPoolOptions options;
  options.inter_op_threadpool = &pools->operations;
  options.intra_op_threadpool = &pools->parts;
  return options;
}

void InParts(int64_t count, int64_t least, const std::function<void(int64_t, int64_t)> &part) {
  Pools *const pools = process_pools.load();
  const int64_t most = pools == nullptr ? 1 : 4 * pools->workers.count();
  const int64_t number = std::max<int64_t>(1, std::min(most, count / std::max<int64_t>(1, least)));
  if (number == 1) return part(0, count);
  const std::function<void(int64_t)> run = [&](int64_t i) { part(count * i / number, count * (i + 1) / number); };
  // Shared, for a thread may wake up when all is done.
  const auto pieces = std::make_shared<Pieces>(number, run);
  Task help;
  do {
    for (int64_t left = pieces->left() - 1; left > 0; left--) {
      if (help == nullptr) {
        help = [pieces] {
          while (pieces->RunNext()) continue;
        };
      }
      if (!pools->workers.HandOver(help)) break;
      help = nullptr;
    }
  } while (pieces->RunNext());
  pieces->Wait();
}

}  // namespace pyramidal
