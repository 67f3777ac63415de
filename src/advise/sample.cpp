#include "sample.hpp"

#include <algorithm>

#include <wirelag/base/hash.hpp>

namespace wirelag {
namespace {

/// Brings the `n` that are kept of [from, to) to its front, and gives them their weight.
void choose(VisitDraft* from, VisitDraft* to, std::size_t n) {
  const auto hash = [](const VisitDraft& d) {
    return combine64(mix64(d.client_ip.high() + static_cast<std::uint64_t>(d.start_ns)),
                     d.client_ip.low());
  };
  const auto all = static_cast<std::size_t>(to - from);
  if (n < all) {
    std::nth_element(from, from + n, to, [&](const VisitDraft& a, const VisitDraft& b) {
      return hash(a) != hash(b) ? hash(a) < hash(b) : comes_before(a, b);
    });
  }
  std::for_each(from, from + n, [&](VisitDraft& d) {
    d.weight = static_cast<double>(all) / static_cast<double>(n);
  });
}

}  // namespace

void sample(std::vector<VisitDraft>& drafts, std::size_t n) {
  if (drafts.size() <= n) return;
  VisitDraft* const begin = drafts.data();
  VisitDraft* const end = begin + drafts.size();
  // By whether something failed or was lost, not by how long it waited: such a sample would have to be
  // weighted by that. A single place is for all of them alike.
  VisitDraft* const others =
      n < 2 ? begin : std::partition(begin, end, [](const VisitDraft& d) { return d.troubled; });
  const auto troubled = static_cast<std::size_t>(others - begin);
  const std::size_t untroubled = drafts.size() - troubled;
  const std::size_t free = n > untroubled ? n - untroubled : 0;
  const std::size_t kept = std::min(troubled, std::max(n / 2, free));
  choose(begin, others, kept);
  choose(others, end, n - kept);
  drafts.erase(drafts.begin() + static_cast<std::ptrdiff_t>(troubled + n - kept), drafts.end());
  drafts.erase(drafts.begin() + static_cast<std::ptrdiff_t>(kept),
               drafts.begin() + static_cast<std::ptrdiff_t>(troubled));
}

}  // namespace wirelag
