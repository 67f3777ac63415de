// What rules have in common that judge servers by the share of their exchanges that are at fault.
#pragma once

#include "estimate.hpp"

namespace wirelag {

/// A finding for each server of which `min_share` or more of what was `judged` was `slow`; fine without
/// one. `servers` maps an endpoint to a struct with a list `slow` and a count `judged`.
template <class Servers, class FindingFor>
[[nodiscard]] RuleResult judge_by_share(const Servers& servers, double min_share,
                                        FindingFor&& finding_for) {
  RuleResult result{Outcome::fires, {}, {}};
  for (const auto& [endpoint, server] : servers) {
    if (server.slow.empty()) continue;
    const double share =
        static_cast<double>(server.slow.size()) / static_cast<double>(server.judged);
    if (share >= min_share) result.findings.push_back(finding_for(endpoint, server));
  }
  return result.findings.empty() ? fine(servers) : result;
}

}  // namespace wirelag
