// What a finding saves: every visit that it edits is simulated with and without the edits, in both forms
// (simulate.hpp). Per affected action: the median over the visits that get shorter, low and high widened to the
// central 95 % of 200 resamples, and by what round trips vary. Private to advise; pure.
#pragma once

#include <map>
#include <vector>

#include <wirelag/advise/rule.hpp>
#include <wirelag/advise/weighted.hpp>

#include "round_trips.hpp"

namespace wirelag {

using EditsByVisit = std::map<std::uint32_t, std::vector<Edit>>;
[[nodiscard]] EditsByVisit by_visit(const std::vector<Edit>& edits);

/// What varies of a visit's saving because round trips do. A saved round trip is counted as short as
/// the path's shortest one; it lasts that much longer on average. And the visit that is compared with
/// has other ones on its path: as the jitter is one-sided, its mean is about its standard deviation.
struct Jitter {
  DurationNs saved_ns = 0;  ///< more than the shortest round trips would save
  double variance_ns2 = 0;  ///< of the difference of two such visits
};

/// What the finding saves by itself, for whom.
class Saving {
 public:
  Saving(Finding& finding, const RuleInput& input)
      : finding_(finding), input_(input), round_trips_(*input.visits.round_trips) {}

  /// Of all edits of the finding, to be called first.
  void work_out();
  void set_confidence();
  /// High, before it is widened.
  [[nodiscard]] DurationNs most_ns() const { return most_ns_; }
  [[nodiscard]] bool worth_it() const;

 private:
  [[nodiscard]] DurationNs jitter_of(const VisitNode& n) const;
  [[nodiscard]] Jitter jitter_of(const Visit& visit, const std::vector<Edit>& edits) const;
  void widen();
  void add_up();
  void note(const VisitFlags& flags);
  void lower(const char* reason) { finding_.why_not_higher.emplace_back(reason); }

  Finding& finding_;
  const RuleInput& input_;
  const RoundTrips& round_trips_;
  std::vector<Weighted> low_;  ///< of every visit that gets shorter
  std::vector<Weighted> high_;
  std::vector<Weighted> waits_;
  std::vector<DurationNs> most_;  ///< that each visit can save
  std::vector<Weighted> jitter_saved_;
  double jitter_variance_ = 0;
  DurationNs most_ns_ = 0;    ///< high, before it is widened
  DurationNs spread_ns_ = 0;  ///< by so much round trips may move a median
  VisitFlags missing_;
};

}  // namespace wirelag
