#include "dns_words.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>
#include <wirelag/track/dns/message.hpp>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {

std::string question_type(const DnsTransaction& t) {
  return t.qname.empty() ? std::string(kNone) : type_name(t.qtype);
}

std::string result(const Report& r, const Lookup& l, const DnsTransaction& t) {
  if (t.outcome == DnsOutcome::not_visible) return "not captured";
  if (unfinished(r.data, l, t)) return std::string(kCaptureEnded);
  return known(t.response_ns) ? result(t) : "no answer";
}

std::string result(const DnsTransaction& t) {
  if (t.truncated) return "TRUNCATED";
  return t.outcome == DnsOutcome::nodata ? "NODATA" : rcode_name(t.rcode);
}

std::string query_and_answer_frames(const DnsTransaction& t) {
  std::string text = frame_list(t.query_frames);
  text += " / ";
  text += t.response_frame != 0 ? std::to_string(t.response_frame) : std::string(kNone);
  return text;
}

namespace {

/// Names the client tried before the one it meant (resolv.conf search).
std::string search_story(const Report& r, const Lookup& l) {
  std::string text;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = r.data.dns()[m.transaction];
    if (m.role != LookupRole::asked || t.qname == l.qname || t.qname.empty()) continue;
    text += fmt::format("{}{} (frames {}: {})", text.empty() ? "" : ", ", safe(t.qname),
                        query_and_answer_frames(t), result(r, l, t));
  }
  return text.empty() ? text : "also asked for " + text + ".";
}

/// The stub in words: who asked it, whom it asked, what each of them was good for.
std::string stub_story(const Report& r, const Lookup& l) {
  const LookupMember* asked = nullptr;
  const LookupMember* won = nullptr;
  std::size_t forwarded = 0;
  for (const LookupMember& m : l.members) {
    forwarded += m.role == LookupRole::forwarded;
    if (m.role == LookupRole::asked && asked == nullptr) asked = &m;
    if (m.answer == AnswerRole::won) won = &m;
  }
  if (asked == nullptr || forwarded == 0) return "";
  const DnsTransaction& question = r.data.dns()[asked->transaction];
  std::string text = fmt::format(
      "the application asked {}, a stub resolver on its own host, which passed the question on to "
      "{}",
      question.resolver.ip.text(), count(forwarded, "resolver"));
  if (forwarded > 1) text += " at once";
  if (won != nullptr) {
    const DnsTransaction& winner = r.data.dns()[won->transaction];
    text += fmt::format(". {} answered first, after {}, and the stub answered from it",
                        winner.resolver.ip.text(), duration(winner.latency_ns()));
    const DurationNs own = known(l.wait_ns) && known(winner.latency_ns())
                               ? l.wait_ns - winner.latency_ns()
                               : kUnknownNs;
    if (known(own) && own >= 0) text += fmt::format("; the stub itself added {}", duration(own));
  }
  return text + ".";
}

std::string late_story(const Report& r, const Lookup& l) {
  std::string text;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = r.data.dns()[m.transaction];
    const DurationNs late = elapsed_ns(l.end_time_ns, t.response_ns);
    if (m.answer != AnswerRole::spare || !known(late) || late == 0) continue;
    text += fmt::format("{}{} ({} after the user had gone on)", text.empty() ? "" : ", ",
                        t.resolver.ip.text(), duration(late));
  }
  return text.empty() ? text : "too late to matter: " + text + ".";
}

std::string resend_story(const Report& r, const Lookup& l) {
  std::size_t resent = 0;
  DurationNs lost_ns = 0;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = r.data.dns()[m.transaction];
    resent += t.resent();
    const DurationNs waited = elapsed_ns(t.first_query_ns, t.last_query_ns);
    if (known(waited)) lost_ns = std::max(lost_ns, waited);
  }
  if (resent == 0 || lost_ns == 0) return "";
  return fmt::format("{} sent again; {} passed between the first copy and the last.",
                     count(resent, "query was", "queries were"), duration(lost_ns));
}

/// Aliases that lead in a circle: RFC 1034 section 3.6.2 calls it an error of the data, not of the message.
std::string circle_story(const Report& r, const Lookup& l) {
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = r.data.dns()[m.transaction];
    if (t.outcome != DnsOutcome::nodata || t.answer_count == 0) continue;
    const std::vector<DnsRecord> records = decode_answers(t.response);
    std::vector<std::string> way{std::string(t.qname)};
    for (;;) {
      const auto next = std::find_if(records.begin(), records.end(), [&](const DnsRecord& record) {
        return record.type == dns_type::cname && record.name == way.back();
      });
      if (next == records.end()) break;
      const bool circle = std::find(way.begin(), way.end(), next->data) != way.end();
      way.push_back(next->data);
      if (!circle) continue;
      std::string text = "the aliases lead in a circle, so there is nothing to find";
      for (const std::string& name : way) text += (&name == &way[0] ? ": " : " -> ") + safe(name);
      return text + fmt::format(" (frame {}).", t.response_frame);
    }
  }
  return "";
}

/// Of the wait, the part in which a question of the client was open; the rest it made itself.
std::string pause_story(const Report& r, const Lookup& l) {
  if (!known(l.wait_ns)) return "";
  std::vector<std::pair<TimeNs, TimeNs>> open;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& t = r.data.dns()[m.transaction];
    if (m.role != LookupRole::asked || !known(t.first_query_ns)) continue;
    const TimeNs end =
        known(t.response_ns) ? std::min(t.response_ns, l.end_time_ns) : l.end_time_ns;
    if (end > t.first_query_ns) open.emplace_back(t.first_query_ns, end);
  }
  std::sort(open.begin(), open.end());
  DurationNs open_ns = 0;
  TimeNs covered = l.start_time_ns;
  for (const auto& [from, to] : open) {
    if (to <= covered) continue;
    open_ns += to - std::max(from, covered);
    covered = to;
  }
  const DurationNs pause_ns = l.wait_ns - open_ns;
  if (pause_ns < kMillisecondNs || pause_ns < l.wait_ns / 5) return "";
  return fmt::format(
      "the resolvers took {} of the wait; for the other {} the client had no question open.",
      duration(open_ns), duration(pause_ns));
}

/// When the answer that mattered came: the winner's of several forwarded ones, else the release.
TimeNs decisive_ns(const Report& r, const Lookup& l) {
  for (const LookupMember& m : l.members) {
    if (m.answer == AnswerRole::won) return r.data.dns()[m.transaction].response_ns;
  }
  return l.end_time_ns;
}

}  // namespace

std::vector<const Lookup*> asked_lookups(const Report& r) {
  std::vector<const Lookup*> asked;
  for (const Lookup& l : r.correlation.lookups) {
    if (l.outcome != DnsOutcome::response_only) asked.push_back(&l);
  }
  return asked;
}

std::string dns_totals(const Report& r, const std::vector<const Lookup*>& asked) {
  std::map<DnsOutcome, std::size_t> outcomes;
  std::size_t open_ended = 0;
  std::size_t transactions = 0;
  for (const Lookup* l : asked) {
    ++(unfinished(r.data, *l) ? open_ended : outcomes[l->outcome]);
    transactions += l->members.size();
  }
  std::string text =
      fmt::format("{} in {}", count(asked.size(), "lookup"), count(transactions, "transaction"));
  std::string_view separator = ": ";
  for (const auto& [outcome, n] : outcomes) {
    text += fmt::format("{}{} {}", separator, n, name(outcome));
    separator = ", ";
  }
  if (open_ended > 0) text += fmt::format("{}{} {}", separator, open_ended, kUnfinished);
  if (r.data.dns().size() > transactions) {
    text += fmt::format("; {} without a captured question",
                        count(r.data.dns().size() - transactions, "response"));
  }
  return text + '.';
}

bool failed(const Report& r, const Lookup& l) {
  if (l.outcome == DnsOutcome::unanswered) return !unfinished(r.data, l);
  return l.outcome == DnsOutcome::failed || l.outcome == DnsOutcome::nxdomain;
}

bool costs_more(const Report& r, const Lookup& a, const Lookup& b) {
  const auto rank = [&r](const Lookup& l) {
    return !failed(r, l) ? 0 : l.outcome == DnsOutcome::unanswered ? 2 : 1;
  };
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return a.wait_ns > b.wait_ns;
}

std::string types(const Lookup& l) {
  std::string text;
  for (const std::uint16_t t : l.qtypes) text += (text.empty() ? "" : ",") + type_name(t);
  return text;
}

std::string part_played(const Report& r, const Lookup& l, const LookupMember& m) {
  const DnsTransaction& t = r.data.dns()[m.transaction];
  switch (m.answer) {
    case AnswerRole::released: return "released the user";
    case AnswerRole::won: return "won";
    case AnswerRole::contributed: return "needed too";
    case AnswerRole::unanswered:
      return unfinished(r.data, l, t) ? std::string(kNone) : "unanswered";
    case AnswerRole::not_visible: return "not visible";
    case AnswerRole::spare: {
      const DurationNs late = elapsed_ns(l.end_time_ns, t.response_ns);
      if (known(late) && late > 0) return fmt::format("too late +{}", duration(late));
      const DurationNs behind = elapsed_ns(decisive_ns(r, l), t.response_ns);
      return known(behind) ? fmt::format("spare +{}", duration(behind)) : "spare";
    }
  }
  return "";
}

std::string how_it_went(const Report& r, const Lookup& l) {
  if (known(l.wait_ns)) return fmt::format("waited {}, {}", duration(l.wait_ns), name(l.outcome));
  const DurationNs until_end = elapsed_ns(l.start_time_ns, r.capture.last_time_ns);
  if (l.outcome != DnsOutcome::unanswered || !known(until_end)) {
    return fmt::format("wait not known, {}", name(l.outcome));
  }
  const std::string ended = fmt::format("when the capture ended {} later", duration(until_end));
  return unfinished(r.data, l) ? "unfinished " + ended : "still waiting " + ended + ", unanswered";
}

std::string short_result(const Report& r, const Lookup& l) {
  if (!l.addresses.empty()) {
    const std::size_t others = l.addresses.size() - 1 + l.addresses_left_out;
    return l.addresses.front().text() + (others > 0 ? fmt::format(" +{}", others) : "");
  }
  if (l.outcome == DnsOutcome::answered && l.released_by != Dataset::kNone) {
    const auto records = decode_answers(r.data.dns()[l.released_by].response);
    if (!records.empty()) return safe(records.back().data);
  }
  return std::string(unfinished(r.data, l) ? kCaptureEnded : name(l.outcome));
}

std::vector<std::string> lookup_notes(const Report& r, const Lookup& l) {
  std::vector<std::string> notes;
  for (std::string& note :
       std::vector<std::string>{search_story(r, l), circle_story(r, l), stub_story(r, l),
                                late_story(r, l), resend_story(r, l), pause_story(r, l)}) {
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace wirelag::report
