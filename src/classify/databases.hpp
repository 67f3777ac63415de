// Hyperscan databases in block mode. The id of a pattern is its place in its table, so "the first line wins"
// is "the smallest id that matches".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <hs.h>

#include <wirelag/decode/packet.hpp>

namespace wirelag {

struct HyperscanFree {
  void operator()(hs_database_t* database) const { hs_free_database(database); }
  void operator()(hs_scratch_t* scratch) const { hs_free_scratch(scratch); }
  void operator()(hs_compile_error_t* error) const { hs_free_compile_error(error); }
};
using Database = std::unique_ptr<hs_database_t, HyperscanFree>;

/// Where a pattern failed: its index in the table (-1 = none in particular) and Hyperscan's words.
struct CompileFailure {
  int pattern = -1;
  std::string message;
};

/// Null, and `failure`, where a pattern cannot be compiled.
[[nodiscard]] Database compile_database(const std::vector<const char*>& patterns, unsigned flags,
                                        CompileFailure& failure);

/// The signatures of one transport (signature_table.hpp), for any processor that Hyperscan runs on: takes
/// a quarter of a second, which is why the build does it (prebuild.cpp).
[[nodiscard]] Database compile_signatures(Transport transport, CompileFailure& failure);

}  // namespace wirelag
