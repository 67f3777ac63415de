#include "accept_queue.hpp"

#include <algorithm>
#include <tuple>

#include <wirelag/advise/weighted.hpp>

namespace wirelag {

bool AcceptQueue::serve_in_order() {
  std::vector<DurationNs> gaps = busy_gaps();
  if (gaps.empty()) return false;
  std::sort(served_.begin(), served_.end(), [](const Served& a, const Served& b) {
    return std::tie(a.arrived_ns, a.connection) < std::tie(b.arrived_ns, b.connection);
  });
  serve(quantile(gaps, 0.75), &Sooner::low_ns);
  serve(quantile(gaps, 0.25), &Sooner::high_ns);
  std::sort(served_.begin(), served_.end(),
            [](const Served& a, const Served& b) { return a.connection < b.connection; });
  return true;
}

AcceptQueue::Sooner AcceptQueue::sooner(std::size_t connection) const {
  const auto at =
      std::lower_bound(served_.begin(), served_.end(), connection,
                       [](const Served& s, std::size_t wanted) { return s.connection < wanted; });
  return at == served_.end() || at->connection != connection ? Sooner{} : at->sooner;
}

/// Times between two answers of which the later one's request was there before the earlier one. Sorts by answer.
std::vector<DurationNs> AcceptQueue::busy_gaps() {
  std::sort(served_.begin(), served_.end(), [](const Served& a, const Served& b) {
    return std::tie(a.answered_ns, a.connection) < std::tie(b.answered_ns, b.connection);
  });
  std::vector<DurationNs> gaps;
  for (std::size_t i = 1; i < served_.size(); ++i) {
    if (served_[i].arrived_ns > served_[i - 1].answered_ns) continue;
    gaps.push_back(served_[i].answered_ns - served_[i - 1].answered_ns);
  }
  return gaps;
}

void AcceptQueue::serve(DurationNs pace_ns, DurationNs Sooner::*sooner_ns) {
  DurationNs quickest_ns = INT64_MAX;
  for (const Served& s : served_) {
    quickest_ns = std::min(quickest_ns, s.answered_ns - s.arrived_ns);
  }
  TimeNs before_ns = 0;
  for (Served& s : served_) {
    before_ns = std::max(s.arrived_ns + quickest_ns, before_ns + pace_ns);
    s.sooner.*sooner_ns = std::max<DurationNs>(0, s.answered_ns - before_ns);
  }
}

}  // namespace wirelag
