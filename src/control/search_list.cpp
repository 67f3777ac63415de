// Search lists: a resolver library tries name.suffix for each suffix of resolv.conf(5) before, in
// the end, the name itself. The NXDOMAINs on the way are part of what the user waited for.
//
//   name.a  --NXDOMAIN
//   name.b              --NXDOMAIN
//   name                            --answer        one lookup of name
//
// Libraries that ask for AAAA first may try the suffixes in between:
//
//   name AAAA  --no data
//   name.a AAAA           --NXDOMAIN
//   name A                            --answer      one lookup of name
#include <algorithm>
#include <tuple>

#include "draft.hpp"

namespace wirelag {
namespace {

/// `name` without its last `labels` labels; empty when there are not more than that.
std::string_view without_suffix(std::string_view name, std::size_t labels) {
  std::size_t end = name.size();
  for (; labels > 0; --labels) {
    const std::size_t dot = end == 0 ? std::string_view::npos : name.rfind('.', end - 1);
    if (dot == std::string_view::npos) return {};
    end = dot;
  }
  return name.substr(0, end);
}

/// Joins the steps of search lists. Latest first, so that name.b has already joined name when
/// name.a is looked at, and has moved its beginning.
class SearchLists {
 public:
  SearchLists(std::span<Draft> drafts, const Transactions<DnsTransaction>& all,
              const LookupLimits& limits)
      : drafts_(drafts), all_(all), limits_(limits) {
    std::size_t negative = 0;
    for (const Draft& draft : drafts) negative += is_negative(draft) ? 1 : 0;
    if (negative == 0) return;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      begins_.push_back(drafts[i].start_ns);
      if (known(drafts[i].start_ns)) by_name_.push_back(i);
    }
    std::sort(by_name_.begin(), by_name_.end(), [this](std::size_t a, std::size_t b) {
      return std::make_tuple(place(a), a) < std::make_tuple(place(b), b);
    });
  }

  void join() {
    std::vector<std::size_t> negative;
    for (const std::size_t i : by_name_) {
      if (is_negative(drafts_[i])) negative.push_back(i);
    }
    std::stable_sort(negative.begin(), negative.end(), [this](std::size_t a, std::size_t b) {
      return drafts_[a].end_ns > drafts_[b].end_ns;
    });
    for (const std::size_t i : negative) {
      const std::size_t next = next_name(i);
      if (next != Dataset::kNone) merge(i, next);
    }
  }

 private:
  static bool is_negative(const Draft& draft) { return draft.outcome == DnsOutcome::nxdomain; }

  using Place = std::tuple<IpAddress, std::string_view, TimeNs>;

  [[nodiscard]] Place place(std::size_t i) const {
    const DnsTransaction& question = all_[drafts_[i].asked.front()];
    return {question.client.ip, question.qname, drafts_[i].start_ns};
  }

  static TimeNs last_query_ns(const Draft& draft) {
    TimeNs last = draft.start_ns;
    for (const TypeState& type : draft.types) last = std::max(last, type.last_query_ns);
    return last;
  }

  /// The lookup of a shorter name that was under way or followed.
  [[nodiscard]] std::size_t next_name(std::size_t i) const {
    const auto [client, longer, start_ns] = place(i);
    const TimeNs end_ns = drafts_[i].end_ns;
    for (std::size_t labels = 1; labels <= limits_.suffix_labels; ++labels) {
      const std::string_view shorter = without_suffix(longer, labels);
      if (shorter.empty()) break;
      const auto after = std::lower_bound(
          by_name_.begin(), by_name_.end(), Place{client, shorter, end_ns},
          [this](std::size_t a, const Place& wanted) { return place(a) < wanted; });
      const auto is_of_name = [&, wanted = shorter, who = client](std::size_t other) {
        const auto [its_client, its_name, its_start_ns] = place(other);
        return its_client == who && its_name == wanted;
      };
      if (after != by_name_.begin()) {
        const std::size_t around = *std::prev(after);
        if (is_of_name(around) && drafts_[around].start_ns <= start_ns &&
            last_query_ns(drafts_[around]) >= end_ns) {
          return around;
        }
      }
      if (after == by_name_.end() || !is_of_name(*after)) continue;
      if (begins_[root(*after)] - end_ns <= limits_.search_next_ns) return *after;
    }
    return Dataset::kNone;
  }

  [[nodiscard]] std::size_t root(std::size_t i) const {
    while (drafts_[i].merged_into != Dataset::kNone) i = drafts_[i].merged_into;
    return i;
  }

  void merge(std::size_t from, std::size_t into) {
    into = root(into);
    drafts_[from].merged_into = into;
    begins_[into] = std::min(begins_[into], begins_[from]);
  }

  std::span<Draft> drafts_;
  const Transactions<DnsTransaction>& all_;
  const LookupLimits& limits_;
  // Both are empty when no name was refused: then there is nothing to join.
  std::vector<std::size_t> by_name_;  ///< drafts with a known start, in order of place()
  std::vector<TimeNs> begins_;        ///< of each draft with the steps that joined it
};

}  // namespace

void join_search_lists(std::span<Draft> drafts, const Transactions<DnsTransaction>& all,
                       const LookupLimits& limits) {
  SearchLists(drafts, all, limits).join();
}

}  // namespace wirelag
