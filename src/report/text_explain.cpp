// Part 3: one handshake, frame by frame.
#include <fmt/format.h>

#include "explain.hpp"
#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kLabel = 12;
constexpr double kNear =
    0.9;  ///< share of the round trip from which the capture point is "at" a side

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

std::string change_words(StateChange change) {
  if (change.before == change.after) return std::string(name(change.after));
  return fmt::format("{} -> {}", name(change.before), name(change.after));
}

std::string states_words(const ExplainedSegment& e) {
  const bool to_server = e.segment.direction == Direction::c2s;
  const std::string lost = " (this copy brought no answer)";
  return fmt::format("client {}{}, server {}{}", change_words(e.client),
                     !e.arrived && !to_server ? lost : "", change_words(e.server),
                     !e.arrived && to_server ? lost : "");
}

void segment(std::string& out, const ExplainedSegment& e) {
  const HandshakeSegment& s = e.segment;
  out += '\n';
  const std::string frame = s.frame != 0 ? fmt::format("frame {}", s.frame) : "segment";
  out += fmt::format("{:<11} {:>12}  client {} server  {}\n", frame,
                     known(e.offset_ns) ? "+" + ms_number(e.offset_ns) + " ms" : "clock back",
                     s.direction == Direction::c2s ? "-->" : "<--", tcp_flags(s.flags));
  paragraph(out, "numbers", numbers_words(e), kLabel, 2);
  if (!(s.flags & tcp_flag::rst)) {
    paragraph(out, "window", window_words(e), kLabel, 2);
    paragraph(out, "options", options_words(s.options, (s.flags & tcp_flag::syn) != 0), kLabel, 2);
  }
  paragraph(out, "states", states_words(e), kLabel, 2);
  paragraph(out, "meaning", e.meaning, kLabel, 2);
}

void sum(std::string& out, const Connection& c) {
  if (!known(c.connect_time_ns)) return;
  std::string text = fmt::format("connect time {}", duration(c.connect_time_ns));
  if (known(c.syn_wait_ns) && known(c.synack_wait_ns) && known(c.rtt_probe_server_ns) &&
      known(c.rtt_probe_client_ns)) {
    text += fmt::format(" = SYN wait {} + server half {} + SYN-ACK wait {} + client half {}",
                        duration(c.syn_wait_ns), duration(c.rtt_probe_server_ns),
                        duration(c.synack_wait_ns), duration(c.rtt_probe_client_ns));
  }
  paragraph(out, "sum", text, kLabel, 2);
}

/// The half that is nearly nothing tells which side the capture point is at; empty when a half is
/// missing.
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

void nothing_to_explain(std::string& out, const Report& r) {
  const std::size_t n = r.data.connections().size();
  heading(out, "3. A handshake, frame by frame", '-');
  out += n == 0 ? "No TCP connection in this capture.\n"
                : "No handshake in this capture: its connections were open before it began.\n";
}

}  // namespace

void text_explain(std::string& out, const Report& r, const TextOptions& options) {
  const std::vector<Connection>& all = r.data.connections();
  const std::size_t asked = options.explain_connection;
  if (asked > all.size()) {
    heading(out, "3. A handshake, frame by frame", '-');
    paragraph(out, "",
              all.empty() ? "No TCP connection in this capture."
                          : fmt::format("There is no connection {}: ids run from 1 to {}.", asked,
                                        all.size()),
              0);
    return;
  }
  const std::size_t index = asked != 0 ? asked - 1 : slowest_handshake(r);
  if (index == Dataset::kNone) return nothing_to_explain(out, r);

  const Connection& c = all[index];
  const bool slowest = asked == 0 && c.state == ConnectionState::complete;
  heading(out,
          fmt::format("3. A handshake, frame by frame: #{}{}", Dataset::connection_id(index),
                      slowest ? ", the slowest (--explain ID for another)" : ""),
          '-');
  const std::string server = server_name(r, index);
  paragraph(out, "",
            fmt::format("client {} -> server {}{}", c.client.text(), c.server.text(),
                        server.empty() ? "" : " (" + server + ")"),
            0);
  const std::string incomplete = why_incomplete(c);
  if (!incomplete.empty()) paragraph(out, "", incomplete + ".", 0);
  for (const ExplainedSegment& e : explain(c)) segment(out, e);
  if (c.handshake.empty()) {
    paragraph(out, "", "None of its opening segments was captured, so there is nothing to explain.",
              0);
    return;
  }
  if (c.handshake.left_out() > 0) {
    paragraph(out, "",
              fmt::format("... and {} of the opening that were not kept.",
                          count(c.handshake.left_out(), "later segment")),
              0);
  }
  if (known(c.connect_time_ns)) out += '\n';
  sum(out, c);
  const std::string where = position(c);
  if (!where.empty()) paragraph(out, "position", where, kLabel, 2);
}

}  // namespace wirelag::report
