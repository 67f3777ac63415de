// dns-redundant-fanout: one question sent to several resolvers at once. The first answer wins, so
// the spare queries cost load and no time: the saving is 0 by construction. What the capture can
// tell is what each resolver alone would have cost, so that nobody tidies up and keeps the slow
// one.
//
// A question = the queries of one source for one name and type that left within a few milliseconds
// (thresholds.dns_redundant_fanout.within_ns) to different resolvers, before any of them was
// answered. Measured: racing three resolvers takes the time of the fastest; in strict order with
// the slow one first, every lookup takes the time of the slow one.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>

#include "../estimate.hpp"

namespace wirelag {
namespace {

struct Question {
  std::size_t lookup = 0;
  std::vector<std::size_t> queries;  ///< indexes into the dataset, in order
};

/// The questions of one source address.
struct Source {
  std::vector<Question> raced;  ///< to at least min_servers
  std::size_t questions = 0;
  std::size_t spare_queries = 0;
};

/// What one resolver did with the raced questions.
struct Resolver {
  IpAddress ip;
  std::size_t asked = 0;
  std::size_t silent = 0;  ///< of these: an answer would have been captured
  std::vector<DurationNs> latencies_ns;
  DurationNs typical_ns = kUnknownNs;  ///< p50
};

class Judge {
 public:
  explicit Judge(const RuleInput& input)
      : input_(input), dns_(input.data.dns()), limits_(input.thresholds.dns_redundant_fanout) {}

  RuleResult run() {
    collect();
    if (sources_.empty()) {
      if (dns_.empty()) return {Outcome::not_applicable, {}, "no DNS in the capture"};
      return {Outcome::not_visible, {}, "no DNS query was captured, only responses"};
    }
    RuleResult result{Outcome::fires, {}, {}};
    for (auto& [ip, source] : sources_) {
      const double share =
          static_cast<double>(source.raced.size()) / static_cast<double>(source.questions);
      if (source.raced.empty() || share < limits_.min_share) continue;
      result.findings.push_back(finding_for(ip, source));
    }
    if (!result.findings.empty()) return result;
    // A second resolver asked after the first one's answer is no race; without answers that cannot be told.
    const bool answers = std::any_of(dns_.begin(), dns_.end(), [](const DnsTransaction& d) {
      return known(d.first_query_ns) && known(d.response_ns);
    });
    if (!answers) return {Outcome::not_visible, {}, "no DNS query was captured with its answer"};
    return fine(sources_);
  }

 private:
  void collect() {
    const std::vector<Lookup>& lookups = input_.correlation.lookups;
    std::vector<std::size_t> queries;
    Question question;
    for (std::size_t n = 0; n < lookups.size(); ++n) {
      queries.clear();
      for (const LookupMember& member : lookups[n].members) {
        if (known(dns_[member.transaction].first_query_ns)) queries.push_back(member.transaction);
      }
      const auto source_and_type = [this](std::size_t i) {
        return std::tie(dns_[i].client.ip, dns_[i].qname, dns_[i].qtype);
      };
      if (queries.size() > 1) {
        std::stable_sort(queries.begin(), queries.end(), [&](std::size_t a, std::size_t b) {
          return source_and_type(a) < source_and_type(b);
        });
      }
      question.lookup = n;
      question.queries.clear();
      for (const std::size_t i : queries) {
        const bool same = !question.queries.empty() &&
                          source_and_type(question.queries.front()) == source_and_type(i);
        if (!same || !races(question, dns_[i])) {
          count(question);
          question.queries.clear();
        }
        question.queries.push_back(i);
      }
      count(question);
    }
  }

  /// Whether `query` is another runner in the race that `question` began.
  [[nodiscard]] bool races(const Question& question, const DnsTransaction& query) const {
    const DurationNs after =
        elapsed_ns(dns_[question.queries.front()].first_query_ns, query.first_query_ns);
    if (!known(after) || after > limits_.within_ns) return false;
    return std::none_of(question.queries.begin(), question.queries.end(), [&](std::size_t i) {
      const bool answered =
          known(dns_[i].response_ns) && dns_[i].response_ns <= query.first_query_ns;
      return answered || dns_[i].resolver.ip == query.resolver.ip;
    });
  }

  void count(const Question& question) {
    if (question.queries.empty()) return;
    Source& source = sources_[dns_[question.queries.front()].client.ip];
    ++source.questions;
    if (question.queries.size() < limits_.min_servers) return;
    source.spare_queries += question.queries.size() - 1;
    source.raced.push_back(question);
  }

  /// The query answered first; kNone when none was.
  [[nodiscard]] std::size_t winner_of(const Question& question, const IpAddress* without) const {
    std::size_t winner = Dataset::kNone;
    for (const std::size_t i : question.queries) {
      if (!known(dns_[i].response_ns)) continue;
      if (without != nullptr && dns_[i].resolver.ip == *without) continue;
      if (winner == Dataset::kNone || dns_[i].response_ns < dns_[winner].response_ns) winner = i;
    }
    return winner;
  }

  /// Latencies of the winners, `without` one of the resolvers; questions nobody answered left out.
  [[nodiscard]] std::vector<DurationNs> winners(const Source& source,
                                                const IpAddress* without) const {
    std::vector<DurationNs> latencies;
    for (const Question& question : source.raced) {
      const std::size_t winner = winner_of(question, without);
      if (winner != Dataset::kNone) latencies.push_back(dns_[winner].latency_ns());
    }
    std::erase(latencies, kUnknownNs);
    return latencies;
  }

  /// Fastest first; those that never answered last.
  [[nodiscard]] std::vector<Resolver> resolvers_of(const Source& source) const {
    std::map<IpAddress, Resolver> by_ip;
    for (const Question& question : source.raced) {
      for (const std::size_t i : question.queries) {
        Resolver& resolver = by_ip[dns_[i].resolver.ip];
        resolver.ip = dns_[i].resolver.ip;
        ++resolver.asked;
        const bool open = !known(dns_[i].response_ns) && !unfinished(input_.data, dns_[i]);
        resolver.silent += open && dns_[i].outcome != DnsOutcome::not_visible ? 1 : 0;
        if (known(dns_[i].latency_ns())) resolver.latencies_ns.push_back(dns_[i].latency_ns());
      }
    }
    std::vector<Resolver> resolvers;
    for (auto& [ip, resolver] : by_ip) {
      if (!resolver.latencies_ns.empty()) {
        resolver.typical_ns = quantile(resolver.latencies_ns, 0.5);
      }
      resolvers.push_back(std::move(resolver));
    }
    std::stable_sort(resolvers.begin(), resolvers.end(), [](const auto& a, const auto& b) {
      if (known(a.typical_ns) != known(b.typical_ns)) return known(a.typical_ns);
      return a.typical_ns < b.typical_ns;
    });
    return resolvers;
  }

  Finding finding_for(const IpAddress& ip, const Source& source) const {
    const std::vector<Resolver> resolvers = resolvers_of(source);
    const std::size_t queries = source.spare_queries + source.raced.size();

    Finding f;
    f.title =
        fmt::format("Send each DNS question to one resolver, not to {} at once", resolvers.size());
    const bool answers = !winners(source, nullptr).empty();
    f.why = ip.text();
    f.why +=
        answers ? " sends one question to several resolvers and takes the first answer. The user "
                  "waits for the fastest one either way, so the spare queries save no time; they "
                  "only cost load."
                : " sends one question to several resolvers at once. Whoever does so takes the "
                  "first answer as a rule: then the spare queries save no time. None was captured.";
    f.families = {Family::network, Family::concurrency};
    f.fault = count_of(source.raced.size(), "question") + " went to several resolvers at once";
    f.scope = "dns/" + ip.text();
    f.affected_actions = source.raced.size();
    f.looked_at = source.questions;
    f.capacity_only = true;
    f.capacity = fmt::format(
        "{} of {} upstream queries are spare ({:.0f} %)", source.spare_queries, queries,
        100.0 * static_cast<double>(source.spare_queries) / static_cast<double>(queries));
    f.threshold = fmt::format(
        "one question to {} or more resolvers within {} in {:.0f} % or more of the questions "
        "(rule.dns-redundant-fanout; resolver races rebuilt with four settings of a forwarder)",
        limits_.min_servers, in_ms(limits_.within_ns), 100 * limits_.min_share);
    if (!answers) {
      f.why_not_higher.emplace_back("no answer was captured: how the race went is not known");
      f.warnings.emplace_back(
          "capture the answers before you change anything: which resolver is fast, and whether one "
          "of them answers at all, is not known");
    }
    add_evidence(f, source);
    add_stub_overhead(f, source);
    add_what_if(f, source, resolvers);
    add_change(f, source, resolvers);
    return f;
  }

  void add_evidence(Finding& f, const Source& source) const {
    for (std::size_t n = 0; n < std::min(source.raced.size(), kExamples); ++n) {
      const Question& question = source.raced[n];
      const std::size_t winner = winner_of(question, nullptr);
      for (const std::size_t i : question.queries) {
        const DnsTransaction& d = dns_[i];
        Evidence e;
        e.what = fmt::format("{} to {}: {}", d.qname.text(), d.resolver.ip.text(),
                             d.outcome == DnsOutcome::not_visible ? "answer not captured"
                             : unfinished(input_.data, d)         ? "capture ended"
                             : !known(d.response_ns)              ? "no answer"
                             : i == winner                        ? "answered first"
                                                                  : "answered later, not needed");
        if (!d.query_frames.empty()) e.frames.push_back(d.query_frames.front());
        if (d.response_frame != 0) e.frames.push_back(d.response_frame);
        e.time_ns = d.first_query_ns;
        e.duration_ns = d.latency_ns();
        f.evidence.push_back(std::move(e));
      }
    }
  }

  /// What the stub adds to the fastest upstream answer, where the user asked through a stub.
  void add_stub_overhead(Finding& f, const Source& source) const {
    std::vector<DurationNs> overheads;
    for (const Question& question : source.raced) {
      const Lookup& lookup = input_.correlation.lookups[question.lookup];
      const std::size_t winner = winner_of(question, nullptr);
      if (winner == Dataset::kNone || lookup.released_by == Dataset::kNone) continue;
      if (dns_[lookup.released_by].client.ip == dns_[winner].client.ip) continue;  // no stub
      const DurationNs latency = dns_[winner].latency_ns();
      if (!known(lookup.wait_ns) || !known(latency) || lookup.wait_ns < latency) continue;
      overheads.push_back(lookup.wait_ns - latency);
      if (overheads.size() > 1) continue;
      const DnsTransaction& asked = dns_[lookup.released_by];
      f.evidence.push_back({fmt::format("{} asked the stub {}: released when it answered",
                                        asked.client.ip.text(), asked.resolver.ip.text()),
                            Dataset::kNone,
                            {lookup.first_frame, lookup.last_frame},
                            lookup.start_time_ns,
                            lookup.wait_ns});
    }
    if (overheads.empty()) return;
    f.why += fmt::format(" The stub in between adds {} to the fastest upstream answer.",
                         in_ms(quantile(overheads, 0.5)));
  }

  void add_what_if(Finding& f, const Source& source, const std::vector<Resolver>& resolvers) const {
    std::vector<DurationNs> raced = winners(source, nullptr);
    if (raced.empty()) return;
    const DurationNs now_ns = quantile(raced, 0.5);
    f.what_if.push_back({fmt::format("race of {}, as it is", resolvers.size()), now_ns, 0});
    for (const Resolver& resolver : resolvers) {
      const std::string ip = resolver.ip.text();
      if (resolver.silent > 0) {
        f.warnings.push_back(
            fmt::format("{} left {} of {} questions unanswered: alone, each of them costs the "
                        "resolver library's timeout (5000 ms by default)",
                        ip, resolver.silent, resolver.asked));
      }
      if (!known(resolver.typical_ns)) continue;
      const DurationNs change_ns = resolver.typical_ns - now_ns;
      f.what_if.push_back({"only " + ip, resolver.typical_ns, change_ns});
      if (change_ns < input_.thresholds.gate.min_effect_ns) continue;
      f.warnings.push_back(
          fmt::format("do not keep {} alone, or first in strict order: +{} per lookup ({} instead "
                      "of {})",
                      ip, in_ms(change_ns), in_ms(resolver.typical_ns), in_ms(now_ns)));
    }
  }

  /// Resolvers the race would not miss: the best of the others is as good at the slow end.
  [[nodiscard]] std::string dispensable(const Source& source,
                                        const std::vector<Resolver>& resolvers) const {
    std::string names;
    for (const Resolver& resolver : resolvers) {
      std::vector<DurationNs> all = winners(source, nullptr);
      std::vector<DurationNs> rest = winners(source, &resolver.ip);
      if (rest.size() < all.size() || all.empty()) continue;
      const auto limit = static_cast<double>(quantile(all, 0.99)) * (1 + limits_.slack_at_p99);
      if (static_cast<double>(quantile(rest, 0.99)) > limit) continue;
      names += names.empty() ? resolver.ip.text() : " or " + resolver.ip.text();
    }
    return names;
  }

  void add_change(Finding& f, const Source& source, const std::vector<Resolver>& resolvers) const {
    if (source.raced.size() < limits_.min_for_p99) {
      f.warnings.push_back(
          fmt::format("a race hides outages, and {} cannot show any: before dropping a resolver, "
                      "look at the p99 of the others over {} or more",
                      count_of(source.raced.size(), "question"), limits_.min_for_p99));
    } else if (const std::string names = dispensable(source, resolvers); !names.empty()) {
      f.warnings.push_back("one of these could go without loss at p99, not all: " + names);
    }
    f.change.push_back(
        {"dnsmasq", "# remove the line: all-servers\ncache-size=1000", "restart",
         "while the server in use is down, lookups wait for the retry; SIGHUP does not "
         "read dnsmasq.conf again"});
    std::string forward = "forward-zone:\n  name: \".\"";
    for (std::size_t n = 0; n < std::min<std::size_t>(resolvers.size(), 2); ++n) {
      forward += "\n  forward-addr: " + resolvers[n].ip.text();
    }
    f.change.push_back(
        {"unbound", forward, "reload",
         "the slower servers are no longer there when both fail; a reload empties the cache"});
    f.verify =
        "capture again: one upstream query per lookup, and the lookups' wait no longer than before";
  }

  const RuleInput& input_;
  const Transactions<DnsTransaction>& dns_;
  const decltype(Thresholds::dns_redundant_fanout)& limits_;
  std::map<IpAddress, Source> sources_;
};

RuleResult judge(const RuleInput& input) { return Judge(input).run(); }

}  // namespace

namespace rules {
extern const Rule dns_redundant_fanout;
constinit const Rule dns_redundant_fanout{
    "dns-redundant-fanout", "Few DNS questions go to several resolvers at once", &judge};
}  // namespace rules

}  // namespace wirelag
