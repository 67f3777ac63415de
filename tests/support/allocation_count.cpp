// Takes the place of operator new and of the C library's mutex and clock functions. A file of its
// own: inlined, it would confuse the compiler's check that new and delete match.
#include "allocation_count.hpp"

#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <new>
#include <pthread.h>
#include <time.h>

namespace {

std::atomic<std::size_t> allocations = 0;
std::atomic<std::size_t> locks = 0;
std::atomic<std::size_t> clocks = 0;

template <class Function>
[[maybe_unused]] Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void* allocate(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}

void* allocate(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto to = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(to, (size + to - 1) / to * to)) return p;
  throw std::bad_alloc();
}

}  // namespace

std::size_t wirelag::test::allocation_count() { return allocations; }
std::size_t wirelag::test::lock_count() { return locks; }
std::size_t wirelag::test::clock_count() { return clocks; }

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void* operator new(std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t to) { return allocate(size, to); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

// A sanitizer has these for itself.
#ifndef WIRELAG_SANITIZED
extern "C" int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static auto* const kNext = next<int(pthread_mutex_t*)>("pthread_mutex_lock");
  ++locks;
  return kNext(mutex);
}
extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static auto* const kNext = next<int(clockid_t, timespec*)>("clock_gettime");
  ++clocks;
  return kNext(clock, now);
}
#endif
