// The identities of docs/metrics.md on a report, and that it does not matter how many workers and
// intervals it was put together from.
#include <algorithm>
#include <numeric>

#include "properties.hpp"

namespace wirelag::properties {
namespace {

void accounting(const Subject& s, Problems& out) {
  const Json& books = s.report["accounting"];
  std::uint64_t sum = books["analysed"].get<std::uint64_t>();
  for (const Json& n : books["not_analysed"]) sum += n.get<std::uint64_t>();
  if (sum != books["received"] || sum != s.recording.frames().size()) {
    out.push_back(books.dump() + ", " + std::to_string(s.recording.frames().size()) + " frames");
  }
}

void connect(const Subject& s, Problems& out) {
  for (const Json& c : s.report["tcp"]["connections"]) {
    DurationNs sum = 0;
    bool all_known = true;
    for (const char* part :
         {"syn_wait_ns", "rtt_probe_server_ns", "synack_wait_ns", "rtt_probe_client_ns"}) {
      all_known = all_known && !c[part].is_null();
      if (all_known) sum += c[part].get<DurationNs>();
    }
    if (all_known && c["connect_time_ns"] != sum) {
      out.push_back("connection " + c["id"].dump() + ": " + c["connect_time_ns"].dump() +
                    " is not the sum of its parts, " + std::to_string(sum));
    }
    const bool ambiguous = c["handshake_ambiguous"];
    if (!c["connect_time_ns"].is_null() && !ambiguous && !all_known) {
      out.push_back("connection " + c["id"].dump() + ": a part is missing and nothing says why");
    }
    const Json &server = c["rtt_probe_server_ns"], &client = c["rtt_probe_client_ns"];
    const bool halves = !server.is_null() && !client.is_null();
    const Json both = halves ? Json(server.get<DurationNs>() + client.get<DurationNs>()) : Json();
    if (c["handshake_rtt_ns"] != both) {
      out.push_back("connection " + c["id"].dump() + ": " + c["handshake_rtt_ns"].dump() +
                    " is not the sum of the halves, " + both.dump());
    }
  }
}

void life(const Subject& s, Problems& out) {
  for (const Json& c : s.report["tcp"]["connections"]) {
    const Json& phases = c["phases_ns"];
    if (phases.is_null() && c["duration_ns"].is_null()) continue;
    DurationNs sum = 0;
    for (const Json& ns : phases) sum += ns.is_null() ? 0 : ns.get<DurationNs>();
    if (c["duration_ns"] != sum) {
      out.push_back("connection " + c["id"].dump() + ": " + c["duration_ns"].dump() +
                    " is not the sum of " + phases.dump());
    }
  }
}

/// Of any protocol; a response that overtakes its request has its own way of counting.
void exchange(const Subject& s, Problems& out) {
  for (const char* protocol : {"http", "app"}) {
    for (const Json& t : s.report[protocol]["transactions"]) {
      const std::string at = std::string(protocol) + " " + t["request_frames"].dump() + ": ";
      DurationNs sum = 0;
      bool all_known = t.value("early_response", Json(false)) != Json(true);
      for (const char* part : {"request_ns", "server_wait_ns", "transfer_ns"}) {
        all_known = all_known && !t[part].is_null();
        if (all_known) sum += t[part].get<DurationNs>();
      }
      const bool asked = t.value("request_complete", Json(true)) == Json(true);
      if (all_known && asked && t["total_ns"] != sum) {
        out.push_back(at + t["total_ns"].dump() + " is not the sum of its parts, " +
                      std::to_string(sum));
      }
      const Json& think = t["server_think_ns"];
      if (!think.is_null() && think.get<DurationNs>() > t["server_wait_ns"].get<DurationNs>()) {
        out.push_back(at + "the server works longer than the client waits");
      }
    }
  }
}

/// What a connection's life is made of where its exchanges are whole and one after the other.
void parts_of_life(const Subject& s, Problems& out) {
  const Json& all = s.report["http"]["transactions"];
  for (const Json& c : s.report["tcp"]["connections"]) {
    if (c["state"] != "complete" || c["one_sided"] == true || c["tasks"].empty()) continue;
    if (c["missing_bytes"]["c2s"] != 0 || c["missing_bytes"]["s2c"] != 0) continue;
    if (!c["tls_handshake"].is_null() || !c["dns_tasks"].empty()) continue;
    const TimeNs established =
        c["start_time_ns"].get<TimeNs>() +
        (c["connect_time_ns"].is_null() ? 0 : c["connect_time_ns"].get<DurationNs>());
    const auto plain = [&](const Json& task) {
      const Json& t = all[task.get<std::size_t>()];
      if (t["request_time_ns"].is_null() || t["request_time_ns"].get<TimeNs>() < established) {
        return false;  // TCP Fast Open
      }
      return t["complete"] == true && t["pipelined"] == false && t["early_response"] == false &&
             t["resynchronised"] == false && !t["server_wait_ns"].is_null() &&
             !t["transfer_ns"].is_null();
    };
    if (!std::all_of(c["tasks"].begin(), c["tasks"].end(), plain)) continue;
    const std::pair<const char*, const char*> kParts[] = {
        {"request", "request_ns"}, {"server_wait", "server_wait_ns"}, {"transfer", "transfer_ns"}};
    for (const auto& [phase, part] : kParts) {
      DurationNs sum = 0;
      for (const Json& task : c["tasks"])
        sum += all[task.get<std::size_t>()][part].get<DurationNs>();
      if (c["phases_ns"][phase] != sum) {
        out.push_back("connection " + c["id"].dump() + ": " + phase + " is " +
                      c["phases_ns"][phase].dump() + ", its exchanges' " + std::to_string(sum));
      }
    }
  }
}

/// The known gaps in a response are part of its transfer time.
void transfer(const Subject& s, Problems& out) {
  for (const Json& t : s.report["http"]["transactions"]) {
    const Json& shape = t["response_shape"];
    if (shape.is_null()) continue;
    DurationNs gaps = 0;
    for (const char* gap :
         {"rounds_ns", "pause_ns", "resend_stall_ns", "window_stall_ns", "held_ns"}) {
      if (!shape[gap].is_null()) gaps += shape[gap].get<DurationNs>();
    }
    if (gaps > 0 && (t["transfer_ns"].is_null() || t["transfer_ns"].get<DurationNs>() < gaps)) {
      out.push_back("request of frame " + t["request_frames"].dump() + ": gaps of " +
                    std::to_string(gaps) + " in a transfer of " + t["transfer_ns"].dump());
    }
  }
}

/// What the categories of a visit add up to is its wait, in both forms; so do the steps of its path.
void visits(const Subject& s, Problems& out) {
  DurationNs all = 0;  // of those whose end was seen
  std::size_t seen = 0;
  for (const Json& v : s.report["visits"]) {
    const DurationNs wait = v["wait_ns"].get<DurationNs>();
    const Json& limits = v["limits"];
    const bool end_unseen = std::find(limits.begin(), limits.end(), "end_unseen") != limits.end();
    if (!end_unseen) all += wait;
    if (!end_unseen) ++seen;
    for (const char* form : {"breakdown_ns", "breakdown_parallel_ns"}) {
      DurationNs sum = 0;
      for (const Json& ns : v[form]) sum += ns.get<DurationNs>();
      if (sum != wait)
        out.push_back("visit " + v["id"].dump() + ": " + form + " is not " + v["wait_ns"].dump());
    }
    for (const char* form : {"critical_path", "critical_path_parallel"}) {
      DurationNs sum = 0;
      for (const Json& step : v[form]) {
        for (const char* part : {"client_ns", "round_ns", "stall_ns", "duration_ns"}) {
          sum += step[part].get<DurationNs>();
        }
      }
      if (sum != wait)
        out.push_back("visit " + v["id"].dump() + ": " + form + " is not " + v["wait_ns"].dump());
    }
  }
  const Json& together = s.report["waits"]["all"];
  const bool counted = together["visits_seen"] == seen &&
                       together["visits_end_unseen"] == s.report["visits"].size() - seen;
  if (!counted || together["wait_ns"]["sum"] != all) {
    out.push_back("waits: " + together["wait_ns"].dump() + " of " + together["visits"].dump() +
                  " visits, which waited " + std::to_string(all));
  }
}

/// A duration is null or not negative; an answer is there with all that belongs to it or not at all.
void null(const Subject& s, Problems& out) {
  const auto walk = [&](const auto& self, const Json& value, const std::string& path) -> void {
    for (const auto& [key, item] : value.items()) {
      const std::string at = path + "." + key;
      if (item.is_structured()) self(self, item, at);
      if (item.is_number_integer() && key.ends_with("_ns") && item.template get<DurationNs>() < 0 &&
          !is_time(key)) {
        out.push_back(at + " is " + item.dump());
      }
    }
  };
  walk(walk, lists(s.report), "");
  for (const Json& t : s.report["http"]["transactions"]) {
    if (t["status"].is_null() != t["response_frames"].is_null()) out.push_back(t.dump());
  }
  for (const Json& t : s.report["dns"]["transactions"]) {
    const bool unanswered = t["response_frame"].is_null();
    const bool said = t["outcome"] == "unanswered" || t["outcome"] == "not_visible";
    if (unanswered != t["rcode"].is_null() || unanswered != said) {
      out.push_back(t.dump());
    }
  }
}

void workers(const Subject& s, Problems& out) {
  differences(s.report, report_of(s.recording, s.block, 3), "", out);
}

bool same(const MergedSummary& a, const MergedSummary& b) {
  return a.rows == b.rows && a.start_time_ns == b.start_time_ns && a.end_time_ns == b.end_time_ns &&
         a.counters.values == b.counters.values && a.accounting.received == b.accounting.received &&
         a.accounting.analysed == b.accounting.analysed &&
         a.accounting.not_analysed == b.accounting.not_analysed;
}

/// The intervals' histogram of a round trip and the connections' samples of it are the same ones.
void same_samples(const Subject& s, const MergedSummary& all, ServiceDuration duration,
                  const char* rtt, Problems& out) {
  std::uint64_t samples = 0;
  DurationNs longest = -1;
  for (const Json& c : s.report["tcp"]["connections"]) {
    const Json& of_connection = c["rtt"][rtt];
    samples += of_connection["samples"].get<std::uint64_t>();
    if (!of_connection["max_ns"].is_null()) {
      longest = std::max(longest, of_connection["max_ns"].get<DurationNs>());
    }
  }
  const ServiceSummary total = all.total();
  const Histogram& counted = total.of(duration);
  if (counted.count() != samples || (samples > 0 && counted.max_ns() != longest)) {
    out.push_back(std::string(rtt) + ": " + std::to_string(counted.count()) +
                  " samples in the summaries, " + std::to_string(samples) + " in the report");
  }
}

void summaries(const Subject& s, Problems& out) {
  const std::vector<MergedSummary> parts = summaries_of(s.recording, 4);
  MergedSummary in_order;
  for (const MergedSummary& part : parts) in_order.merge(part);
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    for (std::size_t split = 0; split <= order.size(); ++split) {  // (a b) + (c d), a + (b c d) ...
      MergedSummary left, right;
      for (std::size_t i = 0; i < order.size(); ++i) {
        (i < split ? left : right).merge(parts[order[i]]);
      }
      left.merge(right);
      if (same(left, in_order)) continue;
      out.push_back("merged in another order or grouping, the sum differs");
      return;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  if (in_order.accounting.received != s.recording.frames().size() ||
      !in_order.accounting.balanced()) {
    out.push_back("the intervals' books do not add up to the frames");
  }
  if (in_order.total().of(ServiceCount::connections) != s.report["tcp"]["connections"].size()) {
    out.push_back("the summaries count another number of connections than the report lists");
  }
  // The report takes back what it had of a connection before its first frame without a time.
  const std::span<const Frame> frames = s.recording.frames();
  if (std::any_of(frames.begin(), frames.end(), [](const Frame& f) { return f.untimed; })) return;
  using enum ServiceDuration;
  same_samples(s, in_order, data_rtt_probe_server, "probe_server", out);
  same_samples(s, in_order, data_rtt_probe_client, "probe_client", out);
  same_samples(s, in_order, timestamp_rtt_probe_server, "probe_server_timestamps", out);
  same_samples(s, in_order, timestamp_rtt_probe_client, "probe_client_timestamps", out);
}

constexpr Property kIdentities[] = {
    {"accounting", "received = analysed + named reasons = frames", false, accounting},
    {"connect", "connect time = its four parts, when all are known", false, connect},
    {"life", "a connection's duration = the sum of its phases", false, life},
    {"exchange", "an exchange's total = request + wait + transfer; the server's own part <= wait",
     false, exchange},
    {"parts of life", "whole exchanges one after the other = the phases of their connection", false,
     parts_of_life},
    {"transfer", "the known gaps in a response are no longer than its transfer", false, transfer},
    {"visits", "a visit's wait = the sum of its categories = the sum of its path", false, visits},
    {"null", "a duration is null or not negative; an answer is whole or absent", false, null},
    {"workers", "three workers give the report of one", false, workers},
    {"summaries", "merging summaries is associative and commutative", false, summaries},
};

}  // namespace

std::span<const Property> identities() { return kIdentities; }

}  // namespace wirelag::properties
