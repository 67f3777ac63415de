// Which packets are lost: the same ones in every run.
//
//   c2s:syn:packets=1              the first SYN of every flow, on the way to the server
//   s2c:data:packets=10-12         the 10th to 12th segment with payload of every flow
//   s2c:data:packets=10:flows=4    of every fourth flow
//   s2c:data:share=0.02:seed=7     2 % of them, chosen by a generator with that seed
//   c2s:any:share=1:to=10.88.2.9   everything to that address
//
// Packets are counted per flow (addresses, ports, protocol) and in the order they come, those sent
// again included.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <wirelag/base/result.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag::lab {

/// What the relay has to know of an IPv4 packet.
struct PacketView {
  std::uint8_t protocol = 0;
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::uint32_t ports = 0;  ///< both, as on the wire
  bool syn = false;
  bool ack = false;
  std::size_t payload_bytes = 0;  ///< of TCP and UDP
};
/// Nothing when it is not IPv4 or is cut.
[[nodiscard]] std::optional<PacketView> view_of(Bytes packet);

/// An address as in PacketView; nothing when the text is not IPv4.
[[nodiscard]] std::optional<std::uint32_t> parse_ipv4(const std::string& text);

enum class PacketKind : std::uint8_t { any, syn, syn_ack, data };

class Loss {
 public:
  /// A sentence that names what is wrong with the text.
  static Result<Loss> parse(std::string_view text);

  [[nodiscard]] Direction direction() const { return direction_; }
  /// Call once for every packet of the direction, in order.
  bool takes(const PacketView& packet);

 private:
  struct Flow {
    std::uint64_t number = 0;
    std::uint64_t packets = 0;
  };
  using FlowKey = std::tuple<std::uint8_t, std::uint32_t, std::uint32_t, std::uint32_t>;

  Status set(std::string_view key, std::string_view value);
  [[nodiscard]] bool matches(const PacketView& packet) const;

  Direction direction_ = Direction::c2s;
  PacketKind kind_ = PacketKind::any;
  std::uint64_t first_ = 0;  ///< 0: not by number
  std::uint64_t last_ = 0;
  std::uint64_t every_flow_ = 1;
  double share_ = 0;
  std::optional<std::uint32_t> to_;
  std::mt19937_64 random_;
  std::map<FlowKey, Flow> flows_;
};

}  // namespace wirelag::lab
