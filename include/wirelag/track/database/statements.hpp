// Prepared statements of all connections of a worker: what a name or number stands for, so that an
// execution carries the fingerprint of its statement. A hash table over a fixed pool; when it is
// full, further statements are not remembered (database_statements_full) and their executions have
// no fingerprint. One thread; no allocation after construction.
#pragma once

#include <bit>
#include <memory>

#include <wirelag/base/hash.hpp>
#include <wirelag/track/database/sql.hpp>

namespace wirelag {

class DatabaseStatements {
 public:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;

  /// The statements of one connection. `id` tells connections apart.
  struct Owner {
    std::uint64_t id = 0;
    Index first = kNone;
  };

  DatabaseStatements(const DatabaseLimits& limits, Counters& counters);

  /// Remembers or replaces what `name` (a number, or a hash of a name) stands for.
  void set(Owner& owner, std::uint64_t name, const Fingerprint& fingerprint);
  /// nullptr when it is not known.
  [[nodiscard]] const Fingerprint* find(const Owner& owner, std::uint64_t name) const;
  void erase(Owner& owner, std::uint64_t name);
  void release(Owner& owner);

  [[nodiscard]] std::size_t in_use() const { return pool_.in_use(); }

 private:
  struct Statement {
    std::uint64_t key = 0;
    Index next_in_bucket = kNone;
    Index next = kNone;  ///< of the owner
    Index previous = kNone;
    Fingerprint fingerprint;
  };

  [[nodiscard]] static std::uint64_t key_of(const Owner& owner, std::uint64_t name) {
    return combine64(owner.id, name);
  }
  [[nodiscard]] Index& bucket(std::uint64_t key) const { return buckets_[key & mask_]; }
  [[nodiscard]] Index look_up(std::uint64_t key) const;
  void remove(Owner& owner, Index i);

  Counters& counters_;
  Pool<Statement> pool_;
  std::size_t mask_;
  std::unique_ptr<Index[]> buckets_;
};

}  // namespace wirelag
