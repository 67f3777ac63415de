#include "explain_words.hpp"

#include <fmt/format.h>

#include "format.hpp"

namespace wirelag::report {
namespace {

constexpr double kNear =
    0.9;  ///< share of the round trip from which the capture point is "at" a side

std::string change_words(StateChange change) {
  if (change.before == change.after) return std::string(name(change.after));
  return fmt::format("{} -> {}", name(change.before), name(change.after));
}

}  // namespace

std::string options_words(const TcpOptions& o, bool syn) {
  std::string text;
  const auto add = [&](std::string_view word) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  };
  if (o.mss != 0) add(fmt::format("MSS {} B", o.mss));
  if (o.window_scale >= 0) {
    add(fmt::format("window scale {} (x {})", o.window_scale, 1U << o.window_scale));
  }
  if (o.sack_permitted) add("SACK permitted");
  if (o.timestamps) add(fmt::format("timestamp {} echo {}", o.tsval, o.tsecr));
  if (text.empty()) return "none";
  if (syn && o.window_scale < 0) add("no window scale: the window stays below 64 KiB");
  return text;
}

std::string numbers_words(const ExplainedSegment& e) {
  const HandshakeSegment& s = e.segment;
  std::string text = e.relative_seq ? fmt::format("seq {} (raw {})", *e.relative_seq, s.seq)
                                    : fmt::format("seq raw {}", s.seq);
  if (s.flags & tcp_flag::ack) {
    text += e.relative_ack ? fmt::format(", ack {} (raw {})", *e.relative_ack, s.ack)
                           : fmt::format(", ack raw {}", s.ack);
  }
  return text + ", " + (s.payload_length == 0 ? "no data" : bytes(s.payload_length) + " of data");
}

std::string window_words(const ExplainedSegment& e) {
  const HandshakeSegment& s = e.segment;
  if (!e.scaled_window_bytes) {
    return fmt::format("{}, scale not known (the SYN or SYN-ACK was not captured)", s.window);
  }
  if (s.flags & tcp_flag::syn) return fmt::format("{} B (never scaled in a SYN)", s.window);
  if (s.window == 0 || *e.scaled_window_bytes == s.window)
    return fmt::format("{} B, no scaling", s.window);
  return fmt::format("{} x {} = {} B", s.window, *e.scaled_window_bytes / s.window,
                     *e.scaled_window_bytes);
}

std::string states_words(const ExplainedSegment& e) {
  const bool to_server = e.segment.direction == Direction::c2s;
  const std::string lost = " (this copy brought no answer)";
  return fmt::format("client {}{}, server {}{}", change_words(e.client),
                     !e.arrived && !to_server ? lost : "", change_words(e.server),
                     !e.arrived && to_server ? lost : "");
}

std::string connect_sum(const Connection& c) {
  if (!known(c.connect_time_ns)) return {};
  std::string text = fmt::format("connect time {}", duration(c.connect_time_ns));
  if (known(c.syn_wait_ns) && known(c.synack_wait_ns) && known(c.rtt_probe_server_ns) &&
      known(c.rtt_probe_client_ns)) {
    text += fmt::format(" = SYN wait {} + server half {} + SYN-ACK wait {} + client half {}",
                        duration(c.syn_wait_ns), duration(c.rtt_probe_server_ns),
                        duration(c.synack_wait_ns), duration(c.rtt_probe_client_ns));
  }
  return text;
}

std::string position(const Connection& c) {
  if (!known(c.handshake_rtt_ns) || c.handshake_rtt_ns == 0) {
    return "";
  }
  const double server =
      static_cast<double>(c.rtt_probe_server_ns) / static_cast<double>(c.handshake_rtt_ns);
  const std::string shares = fmt::format(
      "{:.1f} % of the round trip of {} lies towards the server, {:.1f} % towards the client",
      100 * server, duration(c.handshake_rtt_ns), 100 * (1 - server));
  if (server >= kNear) return "the capture point sits at the client: " + shares;
  if (server <= 1 - kNear) return "the capture point sits at the server: " + shares;
  return "the capture point sits between the two: " + shares;
}

}  // namespace wirelag::report
