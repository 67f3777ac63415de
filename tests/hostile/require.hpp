// A property that must hold whatever the input: false ends the program with the place, which
// libFuzzer and the test runner report as a crash.
#pragma once

#include <cstdio>
#include <cstdlib>

#define WIRELAG_REQUIRE(condition)                                                        \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)
