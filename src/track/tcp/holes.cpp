#include "holes.hpp"

#include "flow_state.hpp"

namespace wirelag::tcp {
namespace {

/// So far behind, a hole is not filled any more: the numbers come round.
constexpr std::int32_t kFarBehind = 1 << 30;

std::uint32_t kib(std::uint64_t bytes) { return static_cast<std::uint32_t>(bytes >> 10); }

}  // namespace

/// The oldest first; one that seems to lie ahead is farther behind than half of all numbers.
void Holes::forget_far(HoleList& list, std::uint32_t next_seq, std::uint64_t sent) {
  while (list.count > 0) {
    const Hole& oldest = holes_[list.first];
    const std::int32_t behind = seq_distance(oldest.begin, next_seq);
    const bool came_round = kib(sent) - oldest.sent_kib > kib(kFarBehind);
    if (behind >= 0 && behind <= kFarBehind && !came_round) return;
    unlink(list, kNone, list.first);
  }
}

void Holes::note(HoleList& list, std::uint32_t begin, std::uint32_t end, std::uint64_t sent,
                 TimeNs now) {
  forget_far(list, begin, sent);
  const std::uint32_t i = take(list);
  if (i == kNone) return;
  holes_[i] = {now, begin, end, kNone, kib(sent)};
  (list.count == 0 ? list.first : holes_[list.last].next) = i;
  list.last = i;
  ++list.count;
}

/// One for the list, which gives up its oldest when there is no room; kNone when it has none.
std::uint32_t Holes::take(HoleList& list) {
  if (list.count < kMostOfSide) {
    if (const std::uint32_t i = holes_.take(); i != kNone) return i;
  }
  counters_.add(Counter::tcp_holes_forgotten);
  if (list.count == 0) return kNone;
  unlink(list, kNone, list.first);
  return holes_.take();
}

Holes::Filled Holes::fill(HoleList& list, std::uint32_t begin, std::uint32_t end,
                          std::uint32_t next_seq, std::uint64_t sent) {
  Filled filled;
  forget_far(list, next_seq, sent);
  std::uint32_t before = kNone;
  for (std::uint32_t i = list.count > 0 ? list.first : kNone, next = kNone; i != kNone; i = next) {
    Hole& hole = holes_[i];
    next = hole.next;
    if (seq_distance(hole.begin, end) <= 0) break;
    const std::uint32_t low = seq_distance(hole.begin, begin) > 0 ? begin : hole.begin;
    const std::uint32_t high = seq_distance(hole.end, end) < 0 ? end : hole.end;
    if (seq_distance(low, high) <= 0) {
      before = i;
      continue;
    }
    filled.bytes += high - low;
    if (!known(filled.noticed_ns)) filled.noticed_ns = hole.noticed_ns;
    if (low == hole.begin && high == hole.end) {
      unlink(list, before, i);
      continue;
    }
    if (low == hole.begin) {
      hole.begin = high;
    } else {
      const std::uint32_t rest_end = hole.end;
      hole.end = low;
      if (high != rest_end) keep_rest(list, i, high, rest_end);
    }
    before = i;
  }
  return filled;
}

/// Hole i was filled in its middle: what is left behind that is a hole of its own.
void Holes::keep_rest(HoleList& list, std::uint32_t i, std::uint32_t begin, std::uint32_t end) {
  const std::uint32_t rest = list.count < kMostOfSide ? holes_.take() : kNone;
  if (rest == kNone) return counters_.add(Counter::tcp_holes_forgotten);
  holes_[rest] = {holes_[i].noticed_ns, begin, end, holes_[i].next, holes_[i].sent_kib};
  holes_[i].next = rest;
  if (list.last == i) list.last = rest;
  ++list.count;
}

void Holes::unlink(HoleList& list, std::uint32_t before, std::uint32_t i) {
  (before == kNone ? list.first : holes_[before].next) = holes_[i].next;
  if (list.last == i) list.last = before;
  --list.count;
  holes_.give(i);
}

void Holes::release(HoleList& list) {
  while (list.count > 0) unlink(list, kNone, list.first);
}

}  // namespace wirelag::tcp
