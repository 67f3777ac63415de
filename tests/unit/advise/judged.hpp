// A story, correlated and judged.
#pragma once

#include <wirelag/advise/rule.hpp>

#include "../control/story.hpp"

namespace wirelag::test {

inline constexpr const char* kClient = "10.0.0.5";
inline constexpr const char* kServer = "192.0.2.80";

struct Judged {
  explicit Judged(const Story& story, unsigned seed = 0)
      : data(story.dataset(seed)),
        correlation(correlate(data)),
        visits(find_visits(data, correlation, thresholds.visits)) {}

  [[nodiscard]] RuleInput input() const { return {data, correlation, visits, thresholds}; }

  /// What the rule says by itself, before anything is simulated.
  [[nodiscard]] RuleResult by(std::string_view rule) const {
    for (const Rule& r : all_rules()) {
      if (r.id == rule) return r.judge(input());
    }
    throw std::invalid_argument(std::string(rule));
  }
  [[nodiscard]] Advice advice() const { return advise(input()); }
  /// The findings of one rule after simulation.
  [[nodiscard]] std::vector<Finding> findings(std::string_view rule) const {
    std::vector<Finding> found;
    for (Finding& f : advice().findings) {
      if (f.rule == rule) found.push_back(std::move(f));
    }
    return found;
  }
  /// What is said of a rule that is fine; empty when it is not.
  [[nodiscard]] std::string fine(std::string_view rule) const {
    for (const Verdict& n : advice().fine) {
      if (n.rule == rule) return n.reason;
    }
    return {};
  }

  Thresholds thresholds;
  Dataset data;
  Correlation correlation;
  Visits visits;
};

}  // namespace wirelag::test
