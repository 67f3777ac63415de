// dns-timeout-retry: a question stayed unanswered and was asked again after the client's timer: glibc
// waits 5 s for each server, in order, two rounds (resolv.conf(5)). The waits from a question without an answer to the
// next one are what a resolver that answers would save: of one name those of the record type that took longest, and
// those of all the names that a search list went through.
//
//   question .......... 5 s .......... question (same or next server) -- answer
//   |<----- stall ------------------->|
//
// What was asked again after an answer (of a failed resolver, or a truncated one, then over TCP) waited for no timer.
//
// An answer that the capture missed looks the same, so the client must really have waited: only
// lookups whose address a connection took afterwards shorten a visit. Measured with glibc and a silent
// first resolver: 5009 ms, with timeout:1 1010 ms.
//
// A resolver that answers nearly all else is alive: a query or an answer was lost. To take it out would help nobody;
// a client that asks again after a second waits for that second. Several in a row that nobody answered are no loss: it
// was silent for that time.
#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>

#include "../estimate.hpp"
#include "../nodes.hpp"

namespace wirelag {
namespace {

struct Stalled {
  std::size_t lookup = 0;
  DurationNs stall_ns = 0;
  std::size_t timers = 0;  ///< that ran out
};

/// A client cannot be told to wait less (resolv.conf(5), timeout).
constexpr DurationNs kShortestTimerNs = kSecondNs;
/// Queries in a row without an answer that are no chance where nine of ten have one.
constexpr std::size_t kSilence = 5;

/// By the resolver that stayed silent.
struct Silent {
  std::vector<Stalled> lookups;
  std::size_t queries = 0;     ///< to it, those sent again too
  std::size_t in_time = 0;     ///< of these, answered before a client would ask again
  std::size_t in_a_row = 0;    ///< the latest without an answer in time
  TimeNs row_ns = kUnknownNs;  ///< when the first of these was asked
  DurationNs silence_ns = 0;   ///< the longest time in which kSilence or more had none
  [[nodiscard]] double answers() const {
    return queries == 0 ? 0 : static_cast<double>(in_time) / static_cast<double>(queries);
  }
};
using BySilentResolver = std::map<IpAddress, Silent>;

void note_silence(Silent& silent, const DnsTransaction& d) {
  if (silent.in_a_row++ == 0) silent.row_ns = d.first_query_ns;
  if (silent.in_a_row < kSilence) return;
  silent.silence_ns = std::max(silent.silence_ns, d.first_query_ns - silent.row_ns);
}

/// How the resolvers that some waited for do otherwise.
void add_answers(BySilentResolver& silent, const RuleInput& input) {
  for (const DnsTransaction& d : input.data.dns()) {
    const auto at = silent.find(d.resolver.ip);
    if (at == silent.end() || !known(d.first_query_ns) || unfinished(input.data, d)) continue;
    at->second.queries += std::size_t{1} + d.resent();
    const DurationNs took_ns = d.resolver_ns();
    if (known(took_ns) && took_ns < input.thresholds.dns_timeout_retry.min_wait_ns) {
      ++at->second.in_time;
      at->second.in_a_row = 0;
    } else {
      note_silence(at->second, d);
    }
  }
}

/// What a lookup waited for timers, and the resolver that it waited for first.
struct Silence {
  DurationNs stall_ns = 0;
  std::size_t timers = 0;
  IpAddress resolver;
};

using Asked =
    std::vector<const DnsTransaction*>;  ///< one question, of whichever resolvers, in order

/// Between the queries up to the one at `until_ns`: where no answer came that made the client ask again, it had
/// waited for its timer.
Silence silence_until(TimeNs until_ns, const Asked& asked) {
  std::vector<TimeNs> queries;
  std::vector<TimeNs> answers;
  for (const DnsTransaction* d : asked) {
    if (known(d->response_ns)) answers.push_back(d->response_ns);
    for (const TimeNs at : {d->first_query_ns, d->last_query_ns}) {
      if (known(at) && at <= until_ns) queries.push_back(at);
    }
  }
  std::sort(queries.begin(), queries.end());
  std::sort(answers.begin(), answers.end());
  Silence all;
  for (std::size_t i = 1; i < queries.size(); ++i) {
    const TimeNs from_ns = queries[i - 1], to_ns = queries[i];
    const auto answer = std::upper_bound(answers.begin(), answers.end(), from_ns);
    if (answer != answers.end() && *answer <= to_ns) continue;
    all.stall_ns += to_ns - from_ns;
    all.timers += to_ns - from_ns >= kShortestTimerNs / 2 ? 1 : 0;
  }
  const auto silent = std::find_if(asked.begin(), asked.end(), [&](const DnsTransaction* d) {
    const bool in_time = known(d->response_ns) && d->response_ns <= until_ns;
    return !in_time && d->last_query_ns != until_ns;
  });
  all.resolver = (silent != asked.end() ? *silent : asked.back())->resolver.ip;
  return all;
}

/// Of a name of a search list that the client had given up at `given_up_ns`: the type that took longest.
Silence silence_before(TimeNs given_up_ns, const std::map<std::uint16_t, Asked>& by_type) {
  Silence longest;
  for (const auto& [type, asked] : by_type) {
    TimeNs until_ns = kUnknownNs;  // the last query that had an answer, else the last
    for (const DnsTransaction* d : asked) {
      const bool in_time = known(d->response_ns) && d->response_ns <= given_up_ns;
      if (in_time) until_ns = std::max(until_ns, d->last_query_ns);
    }
    if (!known(until_ns)) {
      for (const DnsTransaction* d : asked) until_ns = std::max(until_ns, d->last_query_ns);
    }
    const Silence silence = silence_until(std::min(until_ns, given_up_ns), asked);
    if (silence.stall_ns > longest.stall_ns) longest = silence;
  }
  return longest;
}

/// Until the query whose answer released the client, and for the names before it in a search list.
Silence silence_of(const Lookup& l, const Transactions<DnsTransaction>& dns) {
  const DnsTransaction& released = dns[l.released_by];
  std::map<std::string_view, std::map<std::uint16_t, Asked>> by_name;
  for (const LookupMember& m : l.members) {
    const DnsTransaction& d = dns[m.transaction];
    if (m.role == LookupRole::asked) by_name[d.qname][d.qtype].push_back(&d);
  }
  const auto& last_name = by_name[released.qname];
  const auto last = last_name.find(released.qtype);
  if (last == last_name.end()) return {};
  Silence all = silence_until(released.last_query_ns, last->second);
  for (const auto& [type, asked] : last_name) {
    // Who asks again for what it has waited for what it has not.
    const Silence other = silence_until(released.response_ns, asked);
    if (other.stall_ns > all.stall_ns) all = other;
  }
  DurationNs longest_ns = all.stall_ns;
  for (const auto& [name, by_type] : by_name) {
    if (name == released.qname.text()) continue;
    const Silence silence = silence_before(last->second.front()->first_query_ns, by_type);
    all.stall_ns += silence.stall_ns;
    all.timers += silence.timers;
    if (silence.stall_ns <= longest_ns) continue;
    longest_ns = silence.stall_ns;
    all.resolver = silence.resolver;
  }
  return all;
}

std::string why(std::string_view fault, std::string_view otherwise, const Silent& silent) {
  return fmt::format(
      "{}. {}: {} of {} queries to it had an answer in time. The client asks again only when its "
      "timer has run out, and the user waits as long.",
      fault, otherwise, silent.in_time, silent.queries);
}

void say_silent(Finding& f, const IpAddress& ip, const Silent& silent) {
  f.title = "Take the resolver " + ip.text() + " out, or make it answer";
  f.fault = fmt::format("{} waited for {}, which did not answer",
                        count_of(silent.lookups.size(), "lookup"), ip.text());
  f.why = why(f.fault, "Altogether", silent);
  f.change = {{"resolv.conf", "options timeout:1 attempts:2 rotate", "config line",
               "a slow but living resolver is given up sooner"},
              {"resolv.conf", "# remove the line: nameserver " + ip.text(), "config line",
               "one resolver fewer when another fails"},
              {"resolv.conf", "options single-request-reopen", "config line",
               "helps only if one of the A and AAAA answers is lost"}};
}

void say_paused(Finding& f, const IpAddress& ip, const Silent& silent) {
  const std::string silent_s =
      fmt::format("{:.1f} s", static_cast<double>(silent.silence_ns) / kSecondNs);
  f.title = fmt::format("Find out why the resolver {} was silent for {}", ip.text(), silent_s);
  f.fault = fmt::format("{} waited for {}, which answered nobody for {}",
                        count_of(silent.lookups.size(), "lookup"), ip.text(), silent_s);
  f.why = why(f.fault, "Otherwise it is alive", silent);
  f.change = {{"resolver",
               "journalctl -u unbound --since TIME   # or named, dnsmasq: a restart, a full cache",
               "infrastructure", "none: it only shows"},
              {"resolv.conf", "options timeout:1 attempts:2 rotate", "config line",
               "a slow but living resolver is given up sooner"}};
}

void say_lost(Finding& f, const IpAddress& ip, const Silent& silent) {
  const bool sooner =
      std::any_of(silent.lookups.begin(), silent.lookups.end(), [](const Stalled& s) {
        const auto timers_ns = static_cast<DurationNs>(s.timers) * kShortestTimerNs;
        return s.stall_ns > timers_ns + timers_ns / 10;
      });
  f.title = (sooner ? "Ask again sooner where DNS packets are lost, and find where: resolver "
                    : "Find where DNS packets are lost: resolver ") +
            ip.text();
  f.fault = fmt::format("{} waited because a query to {}, or its answer, was lost",
                        count_of(silent.lookups.size(), "lookup"), ip.text());
  f.why = why(f.fault, "The resolver itself is alive", silent);
  f.change = {
      {"resolv.conf", "options timeout:1 attempts:3", "config line",
       "a slow answer is asked for twice"},
      {"network",
       "find the link, queue or filter that drops: ethtool -S DEVICE; tc -s qdisc show dev "
       "DEVICE; mtr --udp --port 53 " +
           ip.text(),
       "infrastructure", "none: it only shows"},
      {"resolver", "nstat -az UdpRcvbufErrors   # its own queue overflows; unbound: so-rcvbuf: 4m",
       "config line", "memory of the socket"},
      {"resolv.conf", "options single-request-reopen", "config line",
       "helps only if one of the A and AAAA answers is lost"}};
  if (!sooner) f.change.erase(f.change.begin());
}

Finding finding_for(const RuleInput& input, const NodeIndex& nodes, const IpAddress& ip,
                    const Silent& silent, std::size_t lookups) {
  const auto& limits = input.thresholds.dns_timeout_retry;
  const Transactions<DnsTransaction>& dns = input.data.dns();
  const bool alive = silent.answers() >= limits.alive_share;
  Finding f;
  if (!alive) {
    say_silent(f, ip, silent);
  } else if (silent.silence_ns > 0) {
    say_paused(f, ip, silent);
  } else {
    say_lost(f, ip, silent);
  }
  f.families = {Family::network};
  f.scope = "dns/" + ip.text();
  f.looked_at = lookups;
  f.threshold = fmt::format(
      "asked again after {} or more, in {:.1f} % or more of the lookups (rule.dns-timeout-retry; "
      "resolv.conf(5): 5 s, two attempts)",
      in_ms(limits.min_wait_ns), 100 * limits.min_share);
  for (const Stalled& s : silent.lookups) {
    const Lookup& l = input.correlation.lookups[s.lookup];
    f.lookups.push_back(s.lookup);
    const auto timers_ns = static_cast<DurationNs>(s.timers) * kShortestTimerNs;
    const DurationNs sooner_ns = std::max<DurationNs>(0, s.stall_ns - timers_ns);
    if (const NodePlace* at = nodes.find(s.lookup)) {
      f.edits.push_back(shorten(*at, Category::dns, alive ? sooner_ns : s.stall_ns, s.stall_ns));
    }
    if (f.evidence.size() == kExamples) continue;
    Evidence e{std::string(l.qname) + ": asked again after",
               Dataset::kNone,
               {},
               l.start_time_ns,
               s.stall_ns};
    for (const LookupMember& m : l.members) {
      if (m.role != LookupRole::asked) continue;
      const auto& frames = dns[m.transaction].query_frames;
      e.frames.insert(e.frames.end(), frames.begin(), frames.end());
    }
    if (l.last_frame != 0) e.frames.push_back(l.last_frame);
    std::erase(e.frames, 0U);
    f.evidence.push_back(std::move(e));
  }
  f.verify = "capture again: no lookup waits 1, 2 or 5 seconds";
  return f;
}

RuleResult judge(const RuleInput& input) {
  const auto& limits = input.thresholds.dns_timeout_retry;
  const Transactions<DnsTransaction>& dns = input.data.dns();
  BySilentResolver silent;
  std::size_t lookups = 0;
  std::size_t released = 0;  ///< of these, by an answer
  std::size_t stalled = 0;
  for (std::size_t i = 0; i < input.correlation.lookups.size(); ++i) {
    const Lookup& l = input.correlation.lookups[i];
    const bool asked = std::any_of(l.members.begin(), l.members.end(), [&](const LookupMember& m) {
      return known(dns[m.transaction].first_query_ns);
    });
    if (!asked) continue;
    ++lookups;
    if (l.released_by == Dataset::kNone) continue;
    ++released;
    if (known(l.wait_ns) && l.wait_ns < limits.min_wait_ns) continue;
    const Silence silence = silence_of(l, dns);
    if (silence.stall_ns < limits.min_wait_ns) continue;
    silent[silence.resolver].lookups.push_back({i, silence.stall_ns, silence.timers});
    ++stalled;
  }
  if (dns.empty()) return {Outcome::not_applicable, {}, "no DNS in the capture"};
  if (lookups == 0) return {Outcome::not_visible, {}, "no DNS query was captured, only responses"};
  if (released == 0) return {Outcome::not_visible, {}, "no lookup was captured with its answer"};
  RuleResult result{Outcome::fires, {}, {}};
  const double share = static_cast<double>(stalled) / static_cast<double>(lookups);
  if (stalled == 0 || share < limits.min_share) {
    return {Outcome::fine, {}, count_of(released, "lookup")};
  }
  add_answers(silent, input);
  const NodeIndex nodes(input.visits, VisitNode::Kind::dns);
  for (const auto& [ip, s] : silent) {
    result.findings.push_back(finding_for(input, nodes, ip, s, lookups));
  }
  return result;
}

}  // namespace

namespace rules {
extern const Rule dns_timeout_retry;
constinit const Rule dns_timeout_retry{
    "dns-timeout-retry", "No lookup waited for a resolver that did not answer", &judge};
}  // namespace rules

}  // namespace wirelag
