// One rule = one file in src/advise/rules/ and one line in rules.def. A rule looks at the sealed
// data and says one of four things: it fires (findings), all is fine, it does not apply, or it
// cannot see what it would need.
//
// Control thread; pure: no clock, no I/O.
#pragma once

#include <string_view>
#include <vector>

#include <wirelag/advise/finding.hpp>

namespace wirelag {

/// Thresholds of all rules; the configuration's [rule.*] tables. Every one carries its unit.
struct Thresholds {
  struct {
    std::uint32_t min_servers = 2;  ///< one question sent to at least so many
    DurationNs within_ns = 5 * kMillisecondNs;
    double min_share = 0.5;  ///< of the forwarded questions
  } dns_redundant_fanout;
  struct {
    DurationNs request_after_handshake_ns = 2 * kMillisecondNs;
    DurationNs speculative_after_ns = 1 * kSecondNs;  ///< no request by then: a spare socket
  } http_late_connection;
  struct {
    DurationNs min_effect_ns = 1 * kMillisecondNs;  ///< smaller savings are not reported
  } gate;
};

enum class Outcome : std::uint8_t { fires, fine, not_applicable, not_visible };
[[nodiscard]] std::string_view name(Outcome o);

struct RuleResult {
  Outcome outcome = Outcome::not_applicable;
  std::vector<Finding> findings;  ///< when it fires
  std::string note;               ///< fine: the title then; not_*: the reason
};

struct RuleInput {
  const Dataset& data;
  const Correlation& correlation;
  const Thresholds& thresholds;
};

struct Rule {
  std::string_view id;
  std::string_view title_when_fine;
  RuleResult (*judge)(const RuleInput& input);
};

/// All rules, in the order of src/advise/rules.def.
[[nodiscard]] const std::vector<Rule>& all_rules();

struct Advice {
  std::vector<Finding> findings;  ///< ranked: user-seconds saved per hour; capacity findings last
  std::vector<NotJudged> not_judged;
  std::vector<NotJudged> fine;  ///< rules that looked and found nothing to change
};

/// Runs every rule, ranks what fires and sets after_higher_ranked_ns: a stall that a finding above
/// removes already is not counted again.
[[nodiscard]] Advice advise(const RuleInput& input);

}  // namespace wirelag
