// trafficgen: captures with known answers, for tests and benchmarks. --help says what each kind is.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "pcap_file.hpp"

namespace {

using namespace wirelag;
using namespace wirelag::traffic;

struct Options {
  std::string output;
  std::string truth;
  MixOptions mix;
  FlowsOptions flows;
  FloodOptions flood;
  double starts_s = 20;
  double life_s = 10;
};

void add_common(CLI::App& app, Options& o, std::uint64_t& seed, bool truth) {
  app.add_option("-o,--output", o.output, "capture to write (pcap, nanoseconds, Ethernet)")
      ->required();
  app.add_option("--seed", seed, "same seed and options, same bytes")->capture_default_str();
  if (!truth) return;
  app.add_option("--truth", o.truth,
                 "also write what a report should say: PREFIX.{tcp,http,tls,dns}.csv (one row per "
                 "connection, request, handshake and query; an empty field is not measurable)");
}

void add_mix(CLI::App& app, Options& o) {
  add_common(app, o, o.mix.seed, true);
  app.add_option("--connections", o.mix.connections, "accesses; about 33 packets each")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--starts", o.starts_s, "seconds within which they begin")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--life", o.life_s, "mean seconds that a connection stays open after its last use")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--ipv6", o.mix.ipv6, "share of accesses over IPv6")
      ->check(CLI::Range(0, 1))
      ->capture_default_str();
  app.add_option("--loss", o.mix.loss,
                 "share of packets lost; ten times that on one connection of 20")
      ->check(CLI::Range(0.0, 0.05))
      ->capture_default_str();
  app.add_option("--reorder", o.mix.reorder, "share of data segments that are overtaken")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str();
  app.add_option("--syn-flood", o.mix.syn_flood, "SYNs from random sources among it")
      ->capture_default_str();
}

void add_flows(CLI::App& app, Options& o) {
  add_common(app, o, o.flows.seed, true);
  app.add_option("--flows", o.flows.flows, "connections, all alive from their opening to the end")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--packets", o.flows.packets, "in all; the first three per flow open it")
      ->capture_default_str();
  app.add_option("--payload", o.flows.payload_bytes, "bytes of each data segment")
      ->check(CLI::Range(1, 1400))
      ->capture_default_str();
  app.add_option("--gap", o.flows.gap_ns, "nanoseconds from packet to packet")
      ->capture_default_str();
}

void add_flood(CLI::App& app, Options& o) {
  add_common(app, o, o.flood.seed, false);
  app.add_option("--packets", o.flood.packets, "SYNs")->capture_default_str();
  app.add_option("--gap", o.flood.gap_ns, "nanoseconds from SYN to SYN")->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app("Writes captures with known answers. A kind of traffic and its options come first:");
  app.require_subcommand(1);
  CLI::App* mix_app = app.add_subcommand(
      "mix",
      "users' accesses: DNS look-ups, then TLS, HTTP/1.1 or Redis over TCP, with losses, "
      "refusals and resets; the defaults make about 5 million packets");
  CLI::App* flows_app =
      app.add_subcommand("flows", "small segments of many connections in random order");
  CLI::App* flood_app = app.add_subcommand("flood", "SYNs from random sources");
  add_mix(*mix_app, o), add_flows(*flows_app, o), add_flood(*flood_app, o);
  CLI11_PARSE(app, argc, argv);
  try {
    std::unique_ptr<TruthFiles> truth;
    if (!o.truth.empty()) truth = std::make_unique<TruthFiles>(o.truth);
    o.mix.starts_ns = static_cast<DurationNs>(o.starts_s * 1e9);
    o.mix.life_ns = static_cast<DurationNs>(o.life_s * 1e9);
    const std::unique_ptr<Source> source = *mix_app     ? mix(o.mix, truth.get())
                                           : *flows_app ? flows(o.flows, truth.get())
                                                        : flood(o.flood);
    const Written w = write_pcap(*source, o.output);
    std::printf("%s: %llu packets, %llu bytes (%.0f a packet), %.3f s\n", o.output.c_str(),
                static_cast<unsigned long long>(w.packets),
                static_cast<unsigned long long>(w.bytes),
                static_cast<double>(w.bytes) / static_cast<double>(w.packets ? w.packets : 1),
                static_cast<double>(w.last_ns - w.first_ns) / 1e9);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trafficgen: %s\n", e.what());
    return 1;
  }
  return 0;
}
