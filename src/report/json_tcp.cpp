// A TCP connection as an item of the JSON report.
#include <wirelag/control/phases.hpp>

#include "format.hpp"
#include "json_values.hpp"
#include "words.hpp"

namespace wirelag::report {
namespace {

Json rtt_json(const RttStats& r) {
  return Json{{"samples", r.samples},
              {"min_ns", ns_or_null(r.min_ns)},
              {"mean_ns", ns_or_null(r.mean_ns())},
              {"max_ns", ns_or_null(r.max_ns)}};
}

/// What one side announced in its SYN or SYN-ACK; null when that segment was not captured.
Json options_json(bool seen, const TcpOptions& o, std::uint16_t window) {
  if (!seen) return nullptr;
  return Json{{"mss", o.mss != 0 ? Json(o.mss) : Json(nullptr)},
              {"window_scale", o.window_scale >= 0 ? Json(o.window_scale) : Json(nullptr)},
              {"sack", o.sack_permitted},
              {"timestamps", o.timestamps},
              {"window", window}};
}

/// {"c2s": ..., "s2c": ...} of what `value` makes of each half; null for a direction never seen.
template <class Value>
Json per_direction(const Connection& c, Value value) {
  const auto of = [&](const HalfConnection& half) {
    return half.packets > 0 ? Json(value(half)) : Json(nullptr);
  };
  return Json{{"c2s", of(c.half.c2s)}, {"s2c", of(c.half.s2c)}};
}

Json retransmissions_json(const HalfConnection& half) {
  Json out = Json::object();
  for (std::size_t i = 0; i < half.impairment().retransmissions.size(); ++i) {
    out[std::string(name(static_cast<RetransmissionClass>(i)))] =
        half.impairment().retransmissions[i];
  }
  return out;
}

Json nobody_knows() { return Json{{"c2s", nullptr}, {"s2c", nullptr}}; }
Json sum_of_times(const Connection& c, DurationNs sum_ns) {
  return ns_or_null(c.untimed ? kUnknownNs : sum_ns);
}

Json lost_json(const HalfConnection& half) {
  Json out = Json::object();
  for (std::size_t i = 0; i < half.impairment().lost_ns.size(); ++i) {
    out[std::string(name(static_cast<RetransmissionClass>(i)))] = half.impairment().lost_ns[i];
  }
  return out;
}

Json tasks_json(const Channel& channel, const HttpIndex& http) {
  Json out = Json::array();
  for (const std::size_t t : channel.http) {
    if (http.of(t) != Dataset::kNone) out.push_back(http.of(t));
  }
  return out;
}

Json frames_json(const Connection& c) {
  return Json{
      {"syn", frame_numbers(c.syn_frames)},    {"syn_ack", frame_numbers(c.syn_ack_frames)},
      {"ack", frame_or_null(c.ack_frame)},     {"close", frame_or_null(c.close_frame)},
      {"syn_more", c.syn_frames.left_out()},   {"syn_ack_more", c.syn_ack_frames.left_out()},
      {"first", frame_or_null(c.first_frame)}, {"last", frame_or_null(c.last_frame)}};
}

/// Every phase by name: null for one that was not seen. The others add up to duration_ns.
Json phases_json(const Connection& c, const ConnectionPhases& phases) {
  if (!known(elapsed_ns(c.start_time_ns, c.last_time_ns))) return nullptr;
  Json out = Json::object();
  for (std::size_t i = 0; i < kPhases; ++i) {
    out[std::string(name(static_cast<Phase>(i)))] = ns_or_null(phases.total_ns[i]);
  }
  return out;
}

}  // namespace

Json connection_json(const Report& report, std::size_t index, const HttpIndex& http) {
  const Connection& c = report.data.connections()[index];
  const Channel& channel = report.correlation.channels[index];
  return Json{
      {"id", Dataset::connection_id(index)},
      {"client", endpoint(c.client)},
      {"server", endpoint(c.server)},
      {"client_basis", std::string(name(c.basis))},
      {"state", std::string(name(c.state))},
      {"frames", frames_json(c)},
      {"syn_wait_ns", ns_or_null(c.syn_wait_ns)},
      {"rtt_probe_server_ns", ns_or_null(c.rtt_probe_server_ns)},
      {"synack_wait_ns", ns_or_null(c.synack_wait_ns)},
      {"rtt_probe_client_ns", ns_or_null(c.rtt_probe_client_ns)},
      {"handshake_rtt_ns", ns_or_null(c.handshake_rtt_ns)},
      {"connect_time_ns", ns_or_null(c.connect_time_ns)},
      {"handshake_ambiguous", c.handshake_ambiguous},
      {"start_time_ns", c.start_time_ns},
      {"duration_ns", ns_or_null(elapsed_ns(c.start_time_ns, c.last_time_ns))},
      {"phases_ns", phases_json(c, phases_of(report.data, channel))},
      {"packets", Json{{"c2s", c.half.c2s.packets}, {"s2c", c.half.s2c.packets}}},
      {"payload_packets",
       per_direction(c, [](const HalfConnection& h) { return h.payload_packets; })},
      {"payload_bytes", Json{{"c2s", c.half.c2s.payload_bytes}, {"s2c", c.half.s2c.payload_bytes}}},
      {"missing_bytes",
       per_direction(c, [](const HalfConnection& h) { return h.impairment().missing_bytes; })},
      {"retransmissions", per_direction(c, retransmissions_json)},
      {"lost_ns", c.untimed ? nobody_knows() : per_direction(c, lost_json)},
      {"time_lost_ns", per_direction(c,
                                     [&](const HalfConnection& h) {
                                       return sum_of_times(c, h.impairment().time_lost_ns);
                                     })},
      {"lost_until_time_ns",
       per_direction(
           c, [](const HalfConnection& h) { return ns_or_null(h.impairment().lost_until_ns); })},
      {"zero_window", per_direction(c,
                                    [&](const HalfConnection& h) {
                                      return Json{{"count", h.impairment().zero_windows},
                                                  {"duration_ns",
                                                   sum_of_times(c, h.impairment().zero_window_ns)}};
                                    })},
      {"window_full", per_direction(c,
                                    [&](const HalfConnection& h) {
                                      return Json{{"count", h.impairment().windows_full},
                                                  {"duration_ns",
                                                   sum_of_times(c, h.impairment().window_full_ns)}};
                                    })},
      {"duplicates_reported",
       per_direction(c,
                     [](const HalfConnection& h) { return h.impairment().duplicates_reported; })},
      {"keep_alives_answered",
       per_direction(c,
                     [](const HalfConnection& h) { return h.impairment().keep_alives_answered; })},
      {"rtt", Json{{"probe_server", rtt_json(c.rtt_probe_server)},
                   {"probe_client", rtt_json(c.rtt_probe_client)},
                   {"probe_server_timestamps", rtt_json(c.rtt_probe_server_timestamps)},
                   {"probe_client_timestamps", rtt_json(c.rtt_probe_client_timestamps)}}},
      {"options",
       Json{{"client", options_json(c.syn_seen(), c.opening().options.c2s, c.opening().window[0])},
            {"server",
             options_json(c.syn_ack_seen(), c.opening().options.s2c, c.opening().window[1])}}},
      {"close", std::string(name(c.close))},
      {"close_by", c.close == CloseKind::open     ? Json(nullptr)
                   : c.close_by == Direction::c2s ? Json("client")
                                                  : Json("server")},
      {"end", std::string(name(c.end))},
      {"one_sided", c.one_sided},
      {"protocol",
       c.protocol == Protocol::unknown ? Json(nullptr) : Json(std::string(name(c.protocol)))},
      {"service", text_or_null(service_name(report, c.service))},
      {"server_name", text_or_null(channel.name)},
      {"tasks", tasks_json(channel, http)},
      {"dns_tasks", std::vector<std::size_t>(channel.dns.begin(), channel.dns.end())},
      {"tls_handshake",
       channel.tls == Dataset::kNone ? Json(nullptr) : Json(std::size_t{channel.tls})},
      {"purpose", std::string(name(channel.purpose))},
      {"why", why_opened(report, channel)},
      {"others_open", channel.others_open},
      {"others_busy", channel.others_busy}};
}

}  // namespace wirelag::report
