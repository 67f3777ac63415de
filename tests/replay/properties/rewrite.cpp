#include "rewrite.hpp"

#include <algorithm>
#include <map>

namespace wirelag::properties {
namespace {

constexpr std::uint16_t kFirstRenamed = 20'000;
constexpr std::uint16_t kLastRenamed = 65'534;
constexpr DurationNs kMirrorDelayNs = 20'000;

std::pair<IpAddress, IpAddress> pair_of(const Segment& s) {
  return std::minmax(s.src.ip, s.dst.ip);
}

}  // namespace

Segments shifted(Segments segments, DurationNs by_ns) {
  for (Segment& s : segments) s.time_ns += by_ns;
  return segments;
}

IpAddress renamed(IpAddress address) {
  static const IpAddress kUnspecified6{};
  static constexpr std::uint8_t kZero[4] = {};
  const bool unspecified = address == kUnspecified6 || address == IpAddress::v4(kZero);
  if (unspecified || address.is_loopback() || address.is_multicast()) return address;
  address.bytes[13] ^= 0x15;
  address.bytes[14] ^= 0x2a;
  if (!address.is_v4()) address.bytes[7] ^= 0x3c;
  return address;
}

std::uint16_t renamed(std::uint16_t port) {
  if (port < kFirstRenamed || port > kLastRenamed) return port;
  return port == kLastRenamed ? kFirstRenamed : static_cast<std::uint16_t>(port + 1);
}

std::uint16_t renamed_back(std::uint16_t port) {
  if (port < kFirstRenamed || port > kLastRenamed) return port;
  return port == kFirstRenamed ? kLastRenamed : static_cast<std::uint16_t>(port - 1);
}

Segments renamed(Segments segments) {
  for (Segment& s : segments) {
    for (Endpoint* e : {&s.src, &s.dst}) *e = {renamed(e->ip), renamed(e->port)};
  }
  return segments;
}

Segments mirrored(const Segments& segments) {
  Segments out;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    out.push_back(segments[i]);
    Segment copy = segments[i];
    out.back().number = copy.number * 2 - 1;
    copy.number *= 2;
    DurationNs room = kMirrorDelayNs;
    if (i + 1 < segments.size()) room = (segments[i + 1].time_ns - copy.time_ns) / 2;
    copy.time_ns += std::clamp<DurationNs>(room, 0, kMirrorDelayNs);
    out.push_back(std::move(copy));
  }
  return out;
}

Segments headers_only(Segments segments) {
  for (Segment& s : segments) s.payload.clear();
  return segments;
}

Segments pairs_reversed(const Segments& segments) {
  std::map<std::pair<IpAddress, IpAddress>, Segments> groups;
  std::vector<std::pair<IpAddress, IpAddress>> order;
  for (const Segment& s : segments) {
    Segments& group = groups[pair_of(s)];
    if (group.empty()) order.push_back(pair_of(s));
    group.push_back(s);
  }
  Segments out;
  TimeNs begin_ns = segments.empty() ? 0 : segments.front().time_ns;
  std::reverse(order.begin(), order.end());
  for (const auto& pair : order) {
    const Segments& group = groups[pair];
    const auto [first, last] = std::minmax_element(
        group.begin(), group.end(),
        [](const Segment& a, const Segment& b) { return a.time_ns < b.time_ns; });
    const DurationNs by_ns = begin_ns - first->time_ns;
    begin_ns = last->time_ns + by_ns + kSecondNs;
    for (Segment& s : shifted(group, by_ns)) out.push_back(std::move(s));
  }
  return out;
}

Segments without(const Segments& segments, const Endpoint& from, const Endpoint& to) {
  Segments out;
  std::copy_if(segments.begin(), segments.end(), std::back_inserter(out), [&](const Segment& s) {
    return s.transport != Transport::tcp || s.src != from || s.dst != to;
  });
  return out;
}

}  // namespace wirelag::properties
