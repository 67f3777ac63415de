// How to ask for memory ahead: frames that lie anywhere in 80 MB, 32 at a time, each of which must be read before it
// can be worked on for some 70 ns. Prints nanoseconds of CPU time a frame for each way, the best of several rounds.
//
// usage: prefetch [ROUNDS]        built and run by scripts/bench-prefetch
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <sys/mman.h>
#include <time.h>
#include <vector>

namespace {

constexpr std::size_t kFrames = 1 << 17, kFrameBytes = 640, kBurst = 32;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

enum class Way { none, prefetch_own, prefetch_next, load_next };
struct Named {
  Way way;
  const char* name;
};
constexpr Named kWays[] = {{Way::none, "nothing is asked for"},
                           {Way::prefetch_own, "prefetch, right before the burst"},
                           {Way::prefetch_next, "prefetch, one burst ahead"},
                           {Way::load_next, "loads, one burst ahead"}};

using Burst = std::span<std::uint8_t* const>;

double cpu_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void prefetch(Burst burst) {
  for (std::uint8_t* frame : burst) {
    __builtin_prefetch(frame);
    __builtin_prefetch(frame + 64);
    asm volatile("");  // or GCC takes the function for one without effect, and leaves it out
  }
}

void load(Burst burst) {
  for (std::uint8_t* frame : burst) {
    (void)*static_cast<volatile std::uint8_t*>(frame);
    (void)*static_cast<volatile std::uint8_t*>(frame + 64);
  }
}

/// Each step needs the one before it, as decoding and looking up do.
std::uint64_t work(Burst burst, std::uint64_t x) {
  for (const std::uint8_t* frame : burst) {
    const std::uint64_t first = frame[12 + (x & 1)];
    for (int step = 0; step < 60; ++step) x = x * 0x9e3779b97f4a7c15ULL + first;
    x += frame[70 + (x & 1)];
  }
  return x;
}

double ns_a_frame(Way way, const std::vector<std::uint8_t*>& frames) {
  std::uint64_t x = 0;
  const double from_ns = cpu_ns();
  for (std::size_t at = 0; at < frames.size(); at += kBurst) {
    const Burst all(frames);
    const Burst own = all.subspan(at, kBurst);
    const Burst next = at + kBurst < all.size() ? all.subspan(at + kBurst, kBurst) : Burst();
    if (way == Way::prefetch_own) prefetch(own);
    if (way == Way::prefetch_next) prefetch(next);
    if (way == Way::load_next) load(next);
    x = work(own, x);
  }
  const double took_ns = cpu_ns() - from_ns;
  asm volatile("" : : "r"(x));
  return took_ns / static_cast<double>(frames.size());
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  for (const bool huge : {false, true}) {
    const std::unique_ptr<std::uint8_t, decltype(&std::free)> memory(
        static_cast<std::uint8_t*>(std::aligned_alloc(kHugePage, kFrames * kFrameBytes)),
        &std::free);
    if (huge) (void)madvise(memory.get(), kFrames * kFrameBytes, MADV_HUGEPAGE);
    std::memset(memory.get(), 1, kFrames * kFrameBytes);
    std::vector<std::uint8_t*> frames(kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) frames[i] = memory.get() + i * kFrameBytes;
    std::shuffle(frames.begin(), frames.end(), std::mt19937(1));
    double best[std::size(kWays)];
    std::fill(std::begin(best), std::end(best), 1e9);
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t w = 0; w < std::size(kWays); ++w) {
        best[w] = std::min(best[w], ns_a_frame(kWays[w].way, frames));
      }
    }
    for (std::size_t w = 0; w < std::size(kWays); ++w) {
      std::printf("%s pages  %-34s %6.1f ns\n", huge ? "huge" : "4 KiB", kWays[w].name, best[w]);
    }
  }
}
