// IP datagrams being rebuilt from their fragments (RFC 791 section 3.2, RFC 8200 section 4.5).
//
//   table    a fixed number of datagrams, found by key through hash chains and kept in the order in
//            which they began
//   pages    2 KiB of payload each with one bit per 8 bytes received, from one pool: a datagram has
//            only the pages that its fragments touch
//   output   one buffer for a whole datagram, IP header first, valid until the next one is whole
//
// A datagram's life:
//   (new) --fragment--> open --all bytes there--> whole: its slot is the first to be reused
//                        |---a fragment contradicts an earlier one--> poisoned: takes no more bytes
//                        |---too old when a fragment comes----------> begins anew
//   When slots or pages run out, the datagram that began first is given up.
//
// Repeated bytes are welcome when they are the same (a mirror port often delivers a frame twice: `repeated`);
// different bytes at one place are an error or an attack, and the datagram is dropped (RFC 5722). A
// whole datagram's slot remembers the fragment that completed it, so that this fragment's duplicate
// (`late`) does not begin a datagram that could later be mixed with a reused identification (RFC 4963).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include <wirelag/base/age_list.hpp>
#include <wirelag/base/types.hpp>

namespace wirelag::decode {

struct FragmentKey {
  std::uint64_t src_high;
  std::uint64_t src_low;
  std::uint64_t dst_high;
  std::uint64_t dst_low;
  std::uint32_t id;
  std::uint8_t protocol;  ///< IPv4; 0 for IPv6, whose fragments are told apart without it
  std::uint8_t ip_version;

  bool operator==(const FragmentKey&) const = default;
};

struct FragmentPart {
  Bytes bytes;            ///< of the datagram's payload
  std::uint32_t offset;   ///< of the first of them, a multiple of 8
  bool more;              ///< not the last fragment
  Bytes ip_header;        ///< 20 bytes of IPv4 or 40 of IPv6, without options
  std::uint8_t protocol;  ///< of the datagram, as this fragment states it
  std::uint32_t frames;   ///< that brought it: 1, or those of the outer datagram it came in
};

enum class FragmentResult : std::uint8_t {
  kept,
  repeated,  ///< kept, though all its bytes were there
  late,      ///< the one that made its datagram whole, once more
  whole,
  malformed,
  overlap,
  no_room,
};

class Fragments {
 public:
  Fragments(std::uint32_t datagrams, DurationNs timeout_ns, std::uint64_t hash_seed);

  /// Takes in one fragment. `whole`: datagram() has it, frames() says how many earlier frames
  /// brought it.
  [[nodiscard]] FragmentResult add(const FragmentKey& key, const FragmentPart& part, TimeNs now);

  /// The datagram last made whole, from its IP header on.
  [[nodiscard]] Bytes datagram() const { return {output_.data(), output_length_}; }
  [[nodiscard]] std::uint32_t frames() const { return output_frames_; }
  /// Unfinished datagrams given up for room since construction.
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = UINT32_MAX;
  static constexpr std::uint32_t kUnit = 8;  ///< fragment offsets count these
  static constexpr std::uint32_t kPageBytes = 2048;
  static constexpr std::uint32_t kPageUnits = kPageBytes / kUnit;
  static constexpr std::uint32_t kMaxPayload = 65536;
  static constexpr std::uint32_t kMaxPages = kMaxPayload / kPageBytes;
  static constexpr std::uint32_t kPagesPerDatagram = 4;  ///< on average: 8 KiB, NFS and large DNS
  static constexpr std::uint32_t kUnknownLength = UINT32_MAX;

  struct Page {
    std::array<std::uint8_t, kPageBytes> bytes;
    std::array<std::uint64_t, kPageUnits / 64> received;  ///< one bit per unit
  };

  enum class Phase : std::uint8_t { open, whole, poisoned };

  struct Datagram {
    FragmentKey key;
    TimeNs begun;
    Phase phase;
    std::uint8_t header_length;
    std::uint8_t protocol;       ///< as the first fragment states it
    std::uint32_t length;        ///< of the payload, kUnknownLength before the last fragment
    std::uint32_t highest;       ///< end of the furthest fragment
    std::uint32_t received;      ///< bytes of payload, each counted once
    std::uint32_t frames;        ///< that brought them
    std::uint64_t completed_by;  ///< digest of the fragment that made it whole
    std::array<std::uint8_t, 40> header;
    std::array<Index, kMaxPages> pages;
    Index chain;  ///< next with the same hash
    Index older;
    Index newer;
  };

  [[nodiscard]] Index find(const FragmentKey& key) const;
  [[nodiscard]] Index begin(const FragmentKey& key, TimeNs now);
  void reset(Index at, const FragmentKey& key, TimeNs now);
  [[nodiscard]] bool contradicts(const Datagram& d, const FragmentPart& part) const;
  [[nodiscard]] bool reserve_pages(Index at, const FragmentPart& part);
  /// How many of its bytes were not there yet.
  std::uint32_t store(Datagram& d, const FragmentPart& part);
  void finish(Index at, const FragmentPart& part);
  [[nodiscard]] bool evict_oldest(Index except);
  void release(Index at);
  void free_pages(Datagram& d);
  void unchain(Index at);
  [[nodiscard]] Index& bucket(const FragmentKey& key);
  [[nodiscard]] std::size_t bucket_index(const FragmentKey& key) const;

  DurationNs timeout_ns_;
  std::uint64_t hash_seed_;
  std::vector<Datagram> datagrams_;
  std::vector<Index> free_datagrams_;
  std::vector<Index> buckets_;
  std::unique_ptr<Page[]> pages_;  ///< memory is touched when a page is first taken
  std::vector<Index> free_pages_;
  AgeList<&Datagram::older, &Datagram::newer> by_age_;
  std::uint64_t evicted_ = 0;
  std::vector<std::uint8_t> output_;
  std::size_t output_length_ = 0;
  std::uint32_t output_frames_ = 0;
};

}  // namespace wirelag::decode
