// A story, correlated and judged.
#pragma once

#include <wirelag/advise/rule.hpp>

#include "../control/story.hpp"

namespace wirelag::test {

struct Judged {
  explicit Judged(const Story& story, unsigned seed = 0)
      : data(story.dataset(seed)), correlation(correlate(data)) {}

  [[nodiscard]] RuleInput input() const { return {data, correlation, thresholds}; }

  [[nodiscard]] RuleResult by(std::string_view rule) const {
    for (const Rule& r : all_rules()) {
      if (r.id == rule) return r.judge(input());
    }
    throw std::invalid_argument(std::string(rule));
  }
  [[nodiscard]] Advice advice() const { return advise(input()); }

  Dataset data;
  Correlation correlation;
  Thresholds thresholds;
};

}  // namespace wirelag::test
