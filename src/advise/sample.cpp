#include "sample.hpp"

#include <algorithm>
#include <tuple>

#include <wirelag/base/hash.hpp>

namespace wirelag {
namespace {

constexpr std::uint16_t kServerError = 500;

/// Whether something failed or was lost in it, as far as that is known without its graph. Not how long
/// it waited: a sample by the wait would have to be weighted by it.
class Troubled {
 public:
  Troubled(const Dataset& data, const Correlation& correlation)
      : data_(data), correlation_(correlation) {}

  [[nodiscard]] bool operator()(const VisitDraft& draft) const {
    return std::any_of(draft.nodes.begin(), draft.nodes.end(),
                       [this](const NodeRef& n) { return node(n); });
  }

 private:
  [[nodiscard]] bool node(const NodeRef& n) const {
    if (n.connection != Dataset::kNone && lost(data_.connections()[n.connection])) return true;
    if (n.item == Dataset::kNone) return false;
    switch (n.kind) {
      case VisitNode::Kind::dns:
        return correlation_.lookups[n.item].members.size() > 1 || unanswered(n);
      case VisitNode::Kind::connect: return !known(data_.connections()[n.item].established_time_ns);
      case VisitNode::Kind::tls: return false;
      case VisitNode::Kind::request: {
        const HttpTransaction& h = data_.http()[n.item];
        return h.status >= kServerError || !known(h.response_first_ns);
      }
      case VisitNode::Kind::query: return data_.database()[n.item].error;
    }
    return false;
  }

  [[nodiscard]] bool unanswered(const NodeRef& n) const {
    return correlation_.lookups[n.item].outcome == DnsOutcome::unanswered;
  }

  [[nodiscard]] static bool lost(const Connection& c) {
    if (c.syn_frames.size() > 1) return true;
    for (const HalfConnection* half : {&c.half.c2s, &c.half.s2c}) {
      for (const RetransmissionClass r :
           {RetransmissionClass::rto, RetransmissionClass::fast, RetransmissionClass::tail_probe}) {
        if (half->impairment().retransmissions[static_cast<std::size_t>(r)] > 0) return true;
      }
    }
    return false;
  }

  const Dataset& data_;
  const Correlation& correlation_;
};

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

void sample(std::vector<VisitDraft>& drafts, std::size_t n, const Dataset& data,
            const Correlation& correlation) {
  if (drafts.size() <= n) return;
  VisitDraft* const begin = drafts.data();
  VisitDraft* const end = begin + drafts.size();
  // A single place is for all of them alike.
  VisitDraft* const others =
      n < 2 ? begin : std::partition(begin, end, Troubled(data, correlation));
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
