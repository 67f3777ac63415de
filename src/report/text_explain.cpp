// Part 3: one handshake, frame by frame.
#include <fmt/format.h>

#include "explain.hpp"
#include "explain_words.hpp"
#include "format.hpp"
#include "table.hpp"
#include "text.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

constexpr std::size_t kLabel = 12;

void segment(std::string& out, const ExplainedSegment& e) {
  const HandshakeSegment& s = e.segment;
  out += '\n';
  const std::string frame = s.frame != 0 ? fmt::format("frame {}", s.frame) : "segment";
  out += fmt::format("{:<11} {:>12}  client {} server  {}\n", frame,
                     known(e.offset_ns) ? "+" + ms_number(e.offset_ns) + " ms" : "time unknown",
                     s.direction == Direction::c2s ? "-->" : "<--", tcp_flags(s.flags));
  paragraph(out, "numbers", numbers_words(e), kLabel, 2);
  if (!(s.flags & tcp_flag::rst)) {
    paragraph(out, "window", window_words(e), kLabel, 2);
    paragraph(out, "options", options_words(s.options, (s.flags & tcp_flag::syn) != 0), kLabel, 2);
  }
  paragraph(out, "states", states_words(e), kLabel, 2);
  paragraph(out, "meaning", e.meaning, kLabel, 2);
}

void nothing_to_explain(std::string& out, const Report& r) {
  const std::size_t n = r.data.connections().size();
  heading(out, "3. A handshake, frame by frame", '-');
  out += n == 0 ? "No TCP connection in this capture.\n"
                : "No handshake in this capture: its connections were open before it began.\n";
}

}  // namespace

void text_explain(std::string& out, const Report& r, const TextOptions& options) {
  const Transactions<Connection>& all = r.data.connections();
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
  const std::string incomplete = why_incomplete(r, c);
  if (!incomplete.empty()) paragraph(out, "", incomplete + ".", 0);
  for (const ExplainedSegment& e : explain(c)) segment(out, e);
  const Handshake segments = c.handshake();
  if (segments.empty()) {
    paragraph(out, "", "None of its opening segments was captured, so there is nothing to explain.",
              0);
    return;
  }
  if (segments.left_out() > 0) {
    paragraph(out, "",
              fmt::format("... and {} of the opening that were not kept.",
                          count(segments.left_out(), "later segment")),
              0);
  }
  if (known(c.connect_time_ns)) out += '\n';
  const std::string parts = connect_sum(c);
  if (!parts.empty()) paragraph(out, "sum", parts, kLabel, 2);
  const std::string where = position(c);
  if (!where.empty()) paragraph(out, "position", where, kLabel, 2);
}

}  // namespace wirelag::report
