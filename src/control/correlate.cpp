// correlate() and the names of its enumerators in reports.
#include <wirelag/control/correlate.hpp>

#include "channel.hpp"
#include "lookup.hpp"

namespace wirelag {

Correlation correlate(const Dataset& data, const LookupLimits& limits) {
  Correlation result;
  find_lookups(data, result, limits);
  describe_channels(data, result, limits);
  return result;
}

std::string_view name(LookupRole r) {
  switch (r) {
    case LookupRole::asked: return "asked";
    case LookupRole::forwarded: return "forwarded";
  }
  return "";
}

std::string_view name(AnswerRole r) {
  switch (r) {
    case AnswerRole::released: return "released";
    case AnswerRole::won: return "won";
    case AnswerRole::spare: return "spare";
    case AnswerRole::unanswered: return "unanswered";
    case AnswerRole::not_visible: return "not_visible";
    case AnswerRole::contributed: return "contributed";
  }
  return "";
}

std::string_view name(ChannelPurpose p) {
  switch (p) {
    case ChannelPurpose::first_contact: return "first_contact";
    case ChannelPurpose::others_busy: return "others_busy";
    case ChannelPurpose::parallel: return "parallel";
    case ChannelPurpose::reopened: return "reopened";
    case ChannelPurpose::unused: return "unused";
    case ChannelPurpose::retry_after_failure: return "retry_after_failure";
    case ChannelPurpose::unknown: return "unknown";
  }
  return "";
}

}  // namespace wirelag
