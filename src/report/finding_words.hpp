// A finding in words. Used by text and HTML.
#pragma once

#include <string>

#include <wirelag/report/report.hpp>

namespace wirelag::report {

/// "5.56 .. 12.4 ms", "5.56 ms" when low and high look the same.
[[nodiscard]] std::string interval(const Interval& saving);
/// "saves 5.557 .. 12.448 ms", "saves load, not time".
[[nodiscard]] std::string saving(const Finding& finding);
/// "C: a first hint"
[[nodiscard]] std::string confidence_word(const Finding& finding);
/// That, and what it lacks: "C: a first hint, because only 3 visits (n < 100)".
[[nodiscard]] std::string confidence_sentence(const Finding& finding);
/// "1 visit (100 % of all)", "of those since the mark"; what frees load: "1 action (100 % of those it looked at)"
[[nodiscard]] std::string affected(const Finding& finding);
/// affected(), and its scope without what the title says already, e.g. a statement.
[[nodiscard]] std::string whom_and_where(const Finding& finding);
/// Of a change that was made: "it cost 20 visits (100 % of those before the mark) 40.1 ms each".
[[nodiscard]] std::string cost_before(const Finding& finding);
/// What it saves all users together, from least to most, and over what time.
[[nodiscard]] std::string in_all(const Report& report, const Finding& finding);
/// Nothing was found, by nobody who could have.
[[nodiscard]] bool nobody_could_judge(const Advice& advice);
/// Who gets no answer waits in vain, which no saving makes up for.
inline constexpr const char* kFailedFirst =
    "look into what failed (above): who gets no answer waits in vain.";
/// What to do first where no change was found that saves time: look into what failed if somebody waited
/// `in_vain`; else why there is nothing: all is fine, or it could not be judged.
[[nodiscard]] std::string nothing_to_do(const Advice& advice, bool in_vain);
/// The three lists of rules without a finding, each with its title; empty ones left out.
struct VerdictList {
  std::string_view title;
  std::vector<Verdict> verdicts;
};
[[nodiscard]] std::vector<VerdictList> verdict_lists(const Advice& advice);
/// "no lookup waited for a resolver that did not answer; looked at: 12 lookups"
[[nodiscard]] std::string verdict_words(const Verdict& verdict);
/// Several directives as one line: "gzip on; gzip_types ...;".
[[nodiscard]] std::string in_one_line(std::string_view snippet);
/// What, connection, frames, when and how long.
[[nodiscard]] std::string evidence_line(const Report& report, const Evidence& evidence);

}  // namespace wirelag::report
