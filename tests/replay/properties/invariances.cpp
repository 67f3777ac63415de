// What may be done to a capture without changing what it says. The original is the capture with all
// links, tags, tunnels and fragments taken off, which is the first of these properties.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

#include "properties.hpp"
#include "rewrite.hpp"

namespace wirelag::properties {
namespace {

/// What else in the capture decides about a connection: other connections and lookups.
Json by_itself(Json value) {
  return strip(std::move(value),
               {"server_name", "purpose", "why", "others_open", "others_busy", "end"});
}

/// And what is known about it from its bytes.
Json without_payload(Json value) {
  return strip(by_itself(std::move(value)),
               {"protocol", "service", "tasks", "dns_tasks", "tls_handshake", "phases_ns"});
}

void flat(const Subject& s, Problems& out) {
  differences(lists(s.report), lists(s.flat_report), "", out);
}

void vlan(const Subject& s, Problems& out) {
  const Json other = report_of(frames_of(*s.flat, Wrap::vlan), s.block);
  differences(lists(s.flat_report), lists(other), "", out);
}

void vxlan(const Subject& s, Problems& out) {
  const Json other = report_of(frames_of(*s.flat, Wrap::vxlan), s.block);
  differences(lists(s.flat_report), lists(other), "", out);
}

void time_shift(const Subject& s, Problems& out) {
  constexpr DurationNs kByNs = 86'399 * kSecondNs + 123'456'789;
  const Json other = report_of(frames_of(shifted(*s.flat, kByNs)), s.block);
  differences(lists(s.flat_report), with_times_moved(lists(other), -kByNs), "", out);
}

/// Back to the names of the original, as far as they stand in members of their own.
Json with_names_back(Json value) {
  if (value.is_object() && value.contains("ip") && value.contains("port")) {
    value["port"] = renamed_back(value["port"].get<std::uint16_t>());
  }
  if (!value.is_structured()) return value;
  for (auto& [key, item] : value.items()) {
    IpAddress address;
    const bool is_address = (key == "ip" || key == "client_ip") && item.is_string();
    if (is_address && parse_ip(item.get<std::string>(), address)) {
      item = renamed(address).text();
    } else {
      item = with_names_back(std::move(item));
    }
  }
  return value;
}

/// Answers still tell the original addresses: names are not found for the others, and which answer
/// released a client is not seen from the connection it opened.
void renaming(const Subject& s, Problems& out) {
  const Json other = report_of(frames_of(renamed(*s.flat)), s.block);
  differences(strip(lists(s.flat_report), {"server_name", "lookups"}),
              strip(with_names_back(lists(other)), {"server_name", "lookups"}), "", out);
}

void pair_order(const Subject& s, Problems& out) {
  const Json other = report_of(frames_of(pairs_reversed(*s.flat)), s.block);
  const auto seen = [](const Json& report) {
    return strip(without_times(by_itself(lists(report))), {"lookups"});
  };
  differences(seen(s.flat_report), seen(other), "", out);
}

void two_interfaces(const Subject& s, Problems& out) {
  Segments numbered = *s.flat;
  for (std::size_t i = 0; i < numbered.size(); ++i) {
    if (numbered[i].untimed) return;  // the blocks of several interfaces have times
    if (numbered[i].time_ns < 200'000'000 * kSecondNs) return;  // before the second one's beginning
    if (i > 0 && numbered[i].time_ns < numbered[i - 1].time_ns) return;  // order of time is wanted
    numbered[i].number = static_cast<FrameNumber>(i + 1);
  }
  if (numbered.empty()) return;
  std::string path = std::filesystem::temp_directory_path() / "wirelag-interfaces-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) return out.push_back("no temporary file");
  std::ofstream(path) << pcapng_of_two_interfaces(numbered);
  CaptureBlock block;
  Result<Recording> read = load(path, block);
  std::filesystem::remove(path);
  ::close(file);
  if (!read) return out.push_back(read.error());
  differences(lists(report_of(frames_of(numbered), block)), lists(report_of(*read, block)), "",
              out);
}

/// Only its payload tells who is the client of some of them: without it the roles are guessed.
[[nodiscard]] bool roles_by_payload(const Json& connection) {
  return connection["client_basis"] == "protocol";
}

void headers_only(const Subject& s, Problems& out) {
  const Json whole = s.flat_report["tcp"];
  const Json other = report_of(frames_of(headers_only(*s.flat)), s.block)["tcp"];
  const Json& connections = whole["connections"];
  if (connections.size() != other["connections"].size()) {
    out.push_back("tcp: another number of connections");
    return;
  }
  for (std::size_t i = 0; i < connections.size(); ++i) {
    if (roles_by_payload(connections[i])) continue;
    differences(without_payload(connections[i]), without_payload(other["connections"][i]),
                "tcp.connections[" + std::to_string(i) + "]", out);
  }
}

// ------------------------------------------------------------------------------- every frame twice

constexpr const char* kLatencies[] = {"syn_wait_ns",
                                      "rtt_probe_server_ns",
                                      "synack_wait_ns",
                                      "rtt_probe_client_ns",
                                      "handshake_rtt_ns",
                                      "connect_time_ns",
                                      "handshake_ambiguous",
                                      "state",
                                      "close",
                                      "client",
                                      "server",
                                      "missing_bytes"};

/// What a mirror that delivers everything twice must not change.
Json unmirrored(const Json& report) {
  Json out;
  for (const Json& c : report["tcp"]["connections"]) {
    Json kept;
    for (const char* key : kLatencies) kept[key] = c[key];
    kept["retransmissions"] = strip(c["retransmissions"], {"mirror_duplicate"});
    out["tcp"].push_back(kept);
  }
  for (const Json& t : report["dns"]["transactions"]) {
    if (t["outcome"] == "response_only") continue;  // its copy is another one
    Json kept;
    for (const char* key : {"client", "server", "id", "qname", "qtype", "rcode", "latency_ns"}) {
      kept[key] = t[key];
    }
    out["dns"].push_back(kept);
  }
  for (const Json& t : report["http"]["transactions"]) {
    Json kept;
    for (const char* key : {"method", "target", "status", "request_ns", "server_wait_ns",
                            "transfer_ns", "request_bytes", "response_bytes"}) {
      kept[key] = t[key];
    }
    out["http"].push_back(kept);
  }
  for (const Json& t : report["tls"]["handshakes"]) {
    Json kept;
    for (const char* key : {"sni", "version", "alpn", "hello_ns", "handshake_ns"}) {
      kept[key] = t[key];
    }
    out["tls"].push_back(kept);
  }
  return out;
}

void mirror(const Subject& s, Problems& out) {
  const Json other = report_of(frames_of(mirrored(*s.flat)), s.block);
  differences(unmirrored(s.flat_report), unmirrored(other), "", out);
}

// ---------------------------------------------------------------------------------- one direction

Endpoint endpoint_of(const Json& json) {
  Endpoint e;
  (void)parse_ip(json["ip"].get<std::string>(), e.ip);
  e.port = json["port"].get<std::uint16_t>();
  return e;
}

/// Every duration of `half` is null or what it is in `whole`.
void null_or_same(const Json& whole, const Json& half, const std::string& path, Problems& out) {
  for (const auto& [key, value] : half.items()) {
    if (!key.ends_with("_ns") || is_time(key) || value.is_structured()) continue;
    if (!value.is_null() && value != whole[key] && out.size() < 5) {
      out.push_back(path + "." + key + ": " + whole[key].dump() + " / " + value.dump());
    }
  }
}

const Json* with_frame(const Json& list, const Json& wanted, const char* key, const char* also) {
  for (const Json& item : list) {
    if (item[key] == wanted[key] && item[also] == wanted[also]) return &item;
  }
  return nullptr;
}

/// The first connection whose opening was seen, without one of its directions.
void one_direction(const Subject& s, Problems& out) {
  std::map<std::pair<Endpoint, Endpoint>, int> seen;
  for (const Json& c : s.flat_report["tcp"]["connections"]) {
    ++seen[{endpoint_of(c["client"]), endpoint_of(c["server"])}];
  }
  int left = 3;
  for (const Json& c : s.flat_report["tcp"]["connections"]) {
    const Endpoint client = endpoint_of(c["client"]);
    const Endpoint server = endpoint_of(c["server"]);
    if (c["state"] != "complete" || seen[{client, server}] > 1 || left-- == 0) continue;
    for (const bool hide_server : {true, false}) {
      const Segments half =
          hide_server ? without(*s.flat, server, client) : without(*s.flat, client, server);
      const Json report = report_of(frames_of(half), s.block);
      const std::string at = "connection " + c["id"].dump() +
                             (hide_server ? ", client's packets only" : ", server's packets only");
      for (const Json& other : report["tcp"]["connections"]) {
        if (other["client"] != c["client"] || other["server"] != c["server"]) continue;
        for (const char* key : {"syn_wait_ns", "rtt_probe_server_ns", "synack_wait_ns",
                                "rtt_probe_client_ns", "handshake_rtt_ns", "connect_time_ns"}) {
          if (!other[key].is_null() && other[key] != c[key]) {
            out.push_back(at + "." + key + ": " + c[key].dump() + " / " + other[key].dump());
          }
        }
        if (other["rtt"]["probe_server"]["samples"] != 0 ||
            other["rtt"]["probe_client"]["samples"] != 0) {
          out.push_back(at + ": round trips " + other["rtt"].dump());
        }
      }
      for (const Json& t : report["http"]["transactions"]) {
        if (const Json* whole =
                with_frame(s.flat_report["http"]["transactions"], t, "request_frames", "target")) {
          null_or_same(*whole, t, at + " http", out);
        }
      }
      for (const Json& t : report["tls"]["handshakes"]) {
        if (const Json* whole =
                with_frame(s.flat_report["tls"]["handshakes"], t, "client_hello_frame", "client")) {
          null_or_same(*whole, t, at + " tls", out);
        }
      }
    }
  }
}

constexpr Property kInvariances[] = {
    {"flat", "links, tags, tunnels and fragments taken off: nothing changes", true, flat},
    {"vlan", "a VLAN tag on every frame changes nothing", true, vlan},
    {"vxlan", "every frame inside VXLAN changes nothing", true, vxlan},
    {"time shift", "another day, the same durations", true, time_shift},
    {"renaming", "other addresses and ports, the same report", true, renaming},
    {"pair order", "host pairs in reverse order and apart in time, the same flows", true,
     pair_order},
    {"two interfaces", "two interfaces of a pcapng file, the same report", true, two_interfaces},
    {"headers only", "payload cut off by the snaplen changes no TCP number", true, headers_only},
    {"mirror", "every frame twice: no latency, no retransmission but mirror duplicates", true,
     mirror},
    {"one direction", "without a direction a number is null or stays", true, one_direction},
};

}  // namespace

std::span<const Property> invariances() { return kInvariances; }

}  // namespace wirelag::properties
