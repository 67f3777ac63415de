#include <wirelag/track/database/statements.hpp>

namespace wirelag {

DatabaseStatements::DatabaseStatements(const DatabaseLimits& limits, Counters& counters)
    : counters_(counters),
      pool_(limits.statements),
      mask_(std::bit_ceil(std::size_t{limits.statements}) - 1),
      buckets_(std::make_unique<Index[]>(mask_ + 1)) {
  std::fill_n(buckets_.get(), mask_ + 1, kNone);
}

DatabaseStatements::Index DatabaseStatements::look_up(std::uint64_t key) const {
  Index i = bucket(key);
  while (i != kNone && pool_[i].key != key) i = pool_[i].next_in_bucket;
  return i;
}

void DatabaseStatements::set(Owner& owner, std::uint64_t name, const Fingerprint& fingerprint) {
  const std::uint64_t key = key_of(owner, name);
  Index i = look_up(key);
  if (i == kNone) {
    i = pool_.take();
    if (i == kNone) {
      counters_.add(Counter::database_statements_full);
      return;
    }
    Statement& s = pool_[i];
    s.key = key;
    s.next_in_bucket = bucket(key);
    bucket(key) = i;
    s.next = owner.first;
    if (s.next != kNone) pool_[s.next].previous = i;
    owner.first = i;
  }
  pool_[i].fingerprint = fingerprint;
}

const Fingerprint* DatabaseStatements::find(const Owner& owner, std::uint64_t name) const {
  const Index i = look_up(key_of(owner, name));
  return i == kNone ? nullptr : &pool_[i].fingerprint;
}

void DatabaseStatements::erase(Owner& owner, std::uint64_t name) {
  const Index i = look_up(key_of(owner, name));
  if (i != kNone) remove(owner, i);
}

void DatabaseStatements::release(Owner& owner) {
  while (owner.first != kNone) remove(owner, owner.first);
}

void DatabaseStatements::remove(Owner& owner, Index i) {
  Statement& s = pool_[i];
  Index* link = &bucket(s.key);
  while (*link != i) link = &pool_[*link].next_in_bucket;
  *link = s.next_in_bucket;
  (s.previous == kNone ? owner.first : pool_[s.previous].next) = s.next;
  if (s.next != kNone) pool_[s.next].previous = s.previous;
  pool_.give(i);
}

}  // namespace wirelag
