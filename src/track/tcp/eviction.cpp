#include "eviction.hpp"

#include <algorithm>
#include <tuple>

namespace wirelag::tcp {
namespace {

/// An established connection gives way to a new one only after this silence.
constexpr DurationNs kEvictableIdleNs = 60 * kSecondNs;
/// Last ACKs and repeated FINs come within this time after a close.
constexpr DurationNs kStragglerNs = 2 * kSecondNs;

[[nodiscard]] bool goes_before(const EvictionPool::Candidate& a, const EvictionPool::Candidate& b) {
  return std::tie(a.worth, a.last_ns) < std::tie(b.worth, b.last_ns);
}

}  // namespace

Worth worth(const TcpFlow& flow, TimeNs now) {
  const DurationNs idle_ns = now - flow.last_ns;
  if (flow.closed()) return idle_ns >= kStragglerNs ? Worth::over : Worth::just_closed;
  if (flow.half_open()) return Worth::unanswered;
  const bool answered = flow.side[0].packets > 0 && flow.side[1].packets > 0;
  const bool payload = flow.side[0].sent_payload || flow.side[1].sent_payload;
  if (!flow.complete && !(answered && payload)) return Worth::unanswered;
  return idle_ns >= kEvictableIdleNs ? Worth::idle : Worth::active;
}

void EvictionPool::add(const Candidate& candidate) {
  const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto same = std::find_if(
      kept_.begin(), end, [&](const Candidate& kept) { return kept.flow == candidate.flow; });
  if (same != end) {
    std::move(same + 1, end, same);
    --count_;
  }
  std::size_t at = count_;
  while (at > 0 && goes_before(kept_[at - 1], candidate)) --at;
  if (count_ == kKept) {
    if (at == 0) return;
    std::move(kept_.begin() + 1, kept_.begin() + static_cast<std::ptrdiff_t>(at), kept_.begin());
    kept_[at - 1] = candidate;
    return;
  }
  std::move_backward(kept_.begin() + static_cast<std::ptrdiff_t>(at),
                     kept_.begin() + static_cast<std::ptrdiff_t>(count_),
                     kept_.begin() + static_cast<std::ptrdiff_t>(count_ + 1));
  kept_[at] = candidate;
  ++count_;
}

}  // namespace wirelag::tcp
