// What all rules share: durations in words, confidence, and user-seconds per hour.
// Control thread; pure functions.
#pragma once

#include <string>
#include <vector>

#include <wirelag/advise/rule.hpp>
#include <wirelag/advise/weighted.hpp>

namespace wirelag {

/// "0.34 ms", "6.06 ms", "26.6 ms", "5030 ms".
[[nodiscard]] std::string in_ms(DurationNs duration_ns);

/// "1 visit", "3 visits".
[[nodiscard]] std::string count_of(std::size_t n, std::string_view thing);

/// Sets confidence and adds to why_not_higher. A: samples enough (thresholds.confidence) and nothing
/// missing; B: fewer, or something is missing (why_not_higher is not empty); C: few, or part of the
/// saving is inferred rather than seen (`inferred` says what; empty = nothing is).
void set_confidence(Finding& finding, const Thresholds& thresholds, std::size_t samples,
                    std::string_view sample, std::string_view inferred);

/// `amount` in so much time, per hour. Less than an hour counts as one hour: what was seen is not multiplied by
/// what was not.
[[nodiscard]] double per_hour(double amount, DurationNs span_ns);

/// SYN, SYN-ACK and the ACK that completes the handshake, those that were seen.
[[nodiscard]] std::vector<FrameNumber> handshake_frames(const Connection& c);

/// The response as evidence: its first and last frame, and how long it took to arrive.
[[nodiscard]] Evidence evidence_of_response(const RuleInput& input, const HttpTransaction& h,
                                            std::string what);

/// The node of a visit that is `item` of that kind; Dataset::kNone when it is not in it.
[[nodiscard]] std::size_t node_of(const Visit& visit, VisitNode::Kind kind, std::size_t item);

/// "p95 41.0 ms"; of fewer than twenty the 95th percentile is the longest: "longest 41.0 ms".
[[nodiscard]] std::string slow_end(std::size_t samples, DurationNs p95_ns);

constexpr std::size_t kExamples = 3;  ///< flows in a finding's evidence
constexpr std::size_t kNamed = 3;     ///< of what was looked at, by name

/// "192.0.2.1:80, 192.0.2.2:80 and 4 more": the keys of a map by endpoint or address.
template <class Map>
[[nodiscard]] std::string names_of(const Map& by_place) {
  std::string text;
  std::size_t named = 0;
  for (const auto& [place, seen] : by_place) {
    if (named++ == kNamed) break;
    text += (text.empty() ? "" : ", ") + place.text();
  }
  if (by_place.size() > kNamed) {
    text += " and " + std::to_string(by_place.size() - kNamed) + " more";
  }
  return text;
}

/// Nothing to change at what was looked at.
template <class Map>
[[nodiscard]] RuleResult fine(const Map& looked_at) {
  return {Outcome::fine, {}, names_of(looked_at)};
}

/// "tcp/192.0.2.1:80"
[[nodiscard]] std::string tcp_scope(const Endpoint& server);

}  // namespace wirelag
