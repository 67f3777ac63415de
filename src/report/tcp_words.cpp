#include "tcp_words.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <wirelag/control/capture_end.hpp>

#include "format.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

std::string resent(const Connection& c) {
  std::array<std::uint64_t, kRetransmissionClasses> sum{};
  std::string text;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] =
        c.half.c2s.impairment().retransmissions[i] + c.half.s2c.impairment().retransmissions[i];
    if (sum[i] == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", sum[i],
                        name(static_cast<RetransmissionClass>(i)));
  }
  return text.empty() ? "nothing resent" : "resent or out of order: " + text;
}

std::string closed(const Connection& c) {
  switch (c.close) {
    case CloseKind::open: return "not closed";
    case CloseKind::rst: return "reset";
    case CloseKind::fin_client: return "closed by the client only";
    case CloseKind::fin_server: return "closed by the server only";
    case CloseKind::fin_both: return "closed by both sides";
  }
  return "";
}

}  // namespace

bool unopened(const Connection& c) {
  return c.state == ConnectionState::refused || c.state == ConnectionState::syn_unanswered ||
         c.state == ConnectionState::synack_no_ack || c.state == ConnectionState::syn_no_synack;
}

bool failed(const Report& r, const Connection& c) { return unopened(c) && !unfinished(r.data, c); }

std::string not_opened(const Report& r, const Connection& c) {
  if (unfinished(r.data, c)) return std::string(kCaptureEnded);
  if (server_not_captured(c)) return "not captured";
  if (c.state == ConnectionState::synack_no_ack) return "answered, and given up by the client";
  return c.state == ConnectionState::refused ? "refused" : "not answered";
}

bool costs_more(const Report& r, const Connection& a, const Connection& b) {
  const bool a_failed = failed(r, a);
  if (a_failed != failed(r, b)) return a_failed;
  return a.connect_time_ns > b.connect_time_ns;
}

std::string state(const Report& r, const Connection& c) {
  return std::string(unfinished(r.data, c) ? kCaptureEnded : name(c.state));
}

std::string handshake_frames(const Connection& c) {
  if (c.state == ConnectionState::midstream) return std::string(kNone);
  const std::string ack = c.ack_frame != 0 ? std::to_string(c.ack_frame) : std::string(kNone);
  return frame_list(c.syn_frames) + " / " + frame_list(c.syn_ack_frames) + " / " + ack;
}

std::string resend_wait(const Connection& c) {
  DurationNs wait = 0;
  for (const DurationNs part : {c.syn_wait_ns, c.synack_wait_ns}) {
    if (known(part)) wait += part;
  }
  return wait > 0 ? ms_number(wait) : "";
}

std::string task_count(const Channel& channel) {
  const std::size_t seen = channel.http.size() + channel.dns.size() + channel.database.size();
  return seen == 0 && channel.tls != Dataset::kNone ? std::string(kNone) : std::to_string(seen);
}

std::string traffic(const Connection& c) {
  const DurationNs lasted = elapsed_ns(c.start_time_ns, c.last_time_ns);
  std::string text =
      fmt::format("{} up in {}, {} down in {}{}; {}; {}", bytes(c.half.c2s.payload_bytes),
                  count(c.half.c2s.packets, "packet"), bytes(c.half.s2c.payload_bytes),
                  count(c.half.s2c.packets, "packet"),
                  known(lasted) ? " within " + duration(lasted) : "", resent(c), closed(c));
  const std::uint64_t missing =
      c.half.c2s.impairment().missing_bytes + c.half.s2c.impairment().missing_bytes;
  if (missing > 0) text += fmt::format("; {} never captured", bytes(missing));
  if (c.one_sided) text += "; one direction only was captured";
  return text;
}

std::string whereabouts(const ConnectionPhases& phases) {
  std::string text;
  for (std::size_t i = 0; i < kPhases; ++i) {
    if (!known(phases.total_ns[i]) || phases.total_ns[i] == 0) continue;
    std::string phase(name(static_cast<Phase>(i)));
    std::ranges::replace(phase, '_', ' ');
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", phase, duration(phases.total_ns[i]));
  }
  return text;
}

std::string other_tasks(const Connection& c, const Channel& channel) {
  if (!channel.database.empty()) {
    return fmt::format("{} of {}: part \"Databases and caches\"",
                       count(channel.database.size(), "request"), name(c.protocol));
  }
  const std::uint64_t payload = c.half.c2s.payload_bytes + c.half.s2c.payload_bytes;
  if (payload == 0) return "none: no data was sent on it";
  if (c.protocol == Protocol::tls) return "hidden by TLS";
  if (c.protocol == Protocol::unknown) return "not recognised: data of an unknown protocol";
  return fmt::format("none that could be read ({})", name(c.protocol));
}

std::string channel_totals(const Report& r) {
  std::map<ConnectionState, std::size_t> states;
  std::size_t open_ended = 0;
  for (const Connection& c : r.data.connections()) {
    ++(unfinished(r.data, c) ? open_ended : states[c.state]);
  }
  std::string text = count(r.data.connections().size(), "connection") + ": ";
  bool first = true;
  for (const auto& [state, n] : states) {
    text += fmt::format("{}{} {}", first ? "" : ", ", n, name(state));
    first = false;
  }
  if (open_ended > 0) text += fmt::format("{}{} {}", first ? "" : ", ", open_ended, kUnfinished);
  std::size_t used = 0;
  for (const Channel& channel : r.correlation.channels) used += !channel.http.empty();
  if (!r.data.http().empty()) {
    text += fmt::format(". {} on {} of them", count(r.data.http().size(), "HTTP exchange"), used);
    if (used < r.data.connections().size()) {
      text += fmt::format("; {} carried none", r.data.connections().size() - used);
    }
  }
  return text + ".";
}

}  // namespace wirelag::report
