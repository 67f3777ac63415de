#include "loss.hpp"

#include <arpa/inet.h>
#include <charconv>

#include <wirelag/base/cursor.hpp>

namespace wirelag::lab {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

template <class Number>
bool read(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Up to the separator, which is taken too; all of it when there is none.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return head;
}

}  // namespace

std::optional<PacketView> view_of(Bytes packet) {
  ByteCursor ip(packet);
  const std::uint8_t version_and_length = ip.u8();
  ip.skip(1);
  const std::size_t total = ip.u16();
  ip.skip(5);
  PacketView view;
  view.protocol = ip.u8();
  ip.skip(2);
  view.source = ip.u32();
  view.destination = ip.u32();
  const std::size_t header = (version_and_length & 15U) * 4U;
  if (!ip.ok() || version_and_length >> 4 != 4 || header < 20 || total > packet.size()) return {};
  ip.skip(header - 20);
  view.ports = 0;
  if (view.protocol != kTcp && view.protocol != kUdp) return view;
  view.ports = ip.u32();
  std::size_t transport = 8;
  if (view.protocol == kTcp) {
    ip.skip(8);
    transport = (ip.u8() >> 4U) * 4U;
    const std::uint8_t flags = ip.u8();
    view.syn = (flags & 2U) != 0;
    view.ack = (flags & 16U) != 0;
  }
  if (!ip.ok() || total < header + transport) return {};
  view.payload_bytes = total - header - transport;
  return view;
}

std::optional<std::uint32_t> parse_ipv4(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) return {};
  return ntohl(address.s_addr);
}

Result<Loss> Loss::parse(std::string_view text) {
  const std::string whole(text);
  Loss loss;
  const std::string_view direction = cut(text, ':');
  const std::string_view kind = cut(text, ':');
  if (direction != "c2s" && direction != "s2c") {
    return Error{"loss '" + whole + "' does not begin with c2s or s2c"};
  }
  loss.direction_ = direction == "c2s" ? Direction::c2s : Direction::s2c;
  if (kind == "syn") {
    loss.kind_ = PacketKind::syn;
  } else if (kind == "syn-ack") {
    loss.kind_ = PacketKind::syn_ack;
  } else if (kind == "data") {
    loss.kind_ = PacketKind::data;
  } else if (kind != "any") {
    return Error{"loss '" + whole + "': a packet is any, syn, syn-ack or data"};
  }
  while (!text.empty()) {
    std::string_view value = cut(text, ':');
    const std::string_view key = cut(value, '=');
    if (Status set = loss.set(key, value); !set) return Error{"loss '" + whole + set.error()};
  }
  if (loss.first_ == 0 && loss.share_ == 0) {
    return Error{"loss '" + whole + "' names neither packets nor a share"};
  }
  return loss;
}

Status Loss::set(std::string_view key, std::string_view value) {
  const auto status = [&](bool ok) -> Status {
    if (ok) return Done{};
    return Error{"': " + std::string(key) + "=" + std::string(value) + " is not understood"};
  };
  if (key == "packets") {
    const std::string_view first = cut(value, '-');
    const bool ok = read(first, first_) && read(value.empty() ? first : value, last_);
    return status(ok && first_ > 0 && last_ >= first_);
  }
  if (key == "flows") return status(read(value, every_flow_) && every_flow_ > 0);
  if (key == "share") return status(read(value, share_) && share_ > 0 && share_ <= 1);
  if (key == "seed") {
    std::uint64_t seed = 0;
    if (!read(value, seed)) return status(false);
    random_.seed(seed);
    return Done{};
  }
  if (key == "to") {
    to_ = parse_ipv4(std::string(value));
    return status(to_.has_value());
  }
  return status(false);
}

bool Loss::matches(const PacketView& packet) const {
  if (to_ && packet.destination != *to_) return false;
  switch (kind_) {
    case PacketKind::any: return true;
    case PacketKind::syn: return packet.syn && !packet.ack;
    case PacketKind::syn_ack: return packet.syn && packet.ack;
    case PacketKind::data: return packet.payload_bytes > 0;
  }
  return false;
}

bool Loss::takes(const PacketView& packet) {
  if (!matches(packet)) return false;
  const FlowKey key{packet.protocol, packet.source, packet.destination, packet.ports};
  Flow& flow = flows_.try_emplace(key, Flow{flows_.size(), 0}).first->second;
  ++flow.packets;
  if (flow.number % every_flow_ != 0) return false;
  if (first_ > 0) return flow.packets >= first_ && flow.packets <= last_;
  return std::uniform_real_distribution<>(0, 1)(random_) < share_;
}

}  // namespace wirelag::lab
