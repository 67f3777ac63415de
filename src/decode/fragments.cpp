// Rebuilding datagrams: the table and its pages as fragments.hpp describes them. Called from ip.cpp
// for each fragment a walk meets.
#include "fragments.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include <wirelag/base/hash.hpp>

namespace wirelag::decode {
namespace {

std::uint64_t hash(const FragmentKey& key, std::uint64_t seed) {
  std::uint64_t h = combine64(seeded64(seed, key.src_high), key.src_low);
  h = combine64(h, key.dst_high);
  h = combine64(h, key.dst_low);
  return combine64(h, std::uint64_t{key.id} << 16 | key.protocol << 8 | key.ip_version);
}

std::uint64_t digest(const FragmentPart& part) {
  std::uint64_t h = std::uint64_t{part.offset} << 32 | part.bytes.size() << 1 | (part.more ? 1 : 0);
  std::size_t at = 0;
  for (; at + 8 <= part.bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, &part.bytes[at], 8);
    h = std::rotl(h ^ word, 29) * 0x9e3779b97f4a7c15ULL;
  }
  for (; at < part.bytes.size(); ++at)
    h = std::rotl(h ^ part.bytes[at], 29) * 0x9e3779b97f4a7c15ULL;
  return mix64(h);
}

constexpr std::uint32_t end_of(const FragmentPart& part) {
  return part.offset + static_cast<std::uint32_t>(part.bytes.size());
}

}  // namespace

Fragments::Fragments(std::uint32_t datagrams, DurationNs timeout_ns, std::uint64_t hash_seed)
    : timeout_ns_(timeout_ns),
      hash_seed_(hash_seed),
      datagrams_(datagrams),
      buckets_(std::bit_ceil(std::max(1u, datagrams * 2)), kNone),
      output_(40 + kMaxPayload) {
  free_datagrams_.reserve(datagrams_.size());
  for (Index i = 0; i < datagrams_.size(); ++i) free_datagrams_.push_back(i);
  const std::uint32_t pages =
      datagrams == 0 ? 0 : std::max(kMaxPages, datagrams * kPagesPerDatagram);
  pages_ = std::make_unique_for_overwrite<Page[]>(pages);
  free_pages_.reserve(pages);
  for (Index i = pages; i-- > 0;) free_pages_.push_back(i);  // the first page on top
}

FragmentResult Fragments::add(const FragmentKey& key, const FragmentPart& part, TimeNs now) {
  const bool whole_units = part.bytes.size() % kUnit == 0;
  if (part.bytes.empty() || (part.more && !whole_units)) return FragmentResult::malformed;
  if (part.ip_header.size() + end_of(part) > 65535 + (key.ip_version == 6 ? 40u : 0u)) {
    return FragmentResult::malformed;
  }

  Index at = find(key);
  if (at != kNone) {
    Datagram& d = datagrams_[at];
    const DurationNs age = now - d.begun;
    const bool expired = age > timeout_ns_ || age < -timeout_ns_;
    if (!expired && d.phase == Phase::poisoned) return FragmentResult::overlap;
    if (!expired && d.phase == Phase::whole && d.completed_by == digest(part)) {
      return FragmentResult::late;
    }
    if (expired || d.phase == Phase::whole) {
      by_age_.remove(datagrams_, at);
      reset(at, key, now);
      by_age_.add_newest(datagrams_, at);
    }
  } else {
    at = begin(key, now);
    if (at == kNone) return FragmentResult::no_room;
  }

  Datagram& d = datagrams_[at];
  if (contradicts(d, part)) {
    free_pages(d);
    d.phase = Phase::poisoned;
    return FragmentResult::overlap;
  }
  if (!reserve_pages(at, part)) return FragmentResult::no_room;
  const std::uint32_t added = store(d, part);
  if (d.received != d.length) {
    d.frames += part.frames;
    return added > 0 ? FragmentResult::kept : FragmentResult::repeated;
  }
  finish(at, part);
  return FragmentResult::whole;
}

bool Fragments::contradicts(const Datagram& d, const FragmentPart& part) const {
  const std::uint32_t end = end_of(part);
  if (!part.more && (end < d.highest || (d.length != kUnknownLength && end != d.length)))
    return true;
  if (end > d.length) return true;
  std::size_t size = 0;
  for (std::uint32_t at = part.offset; at < end; at += static_cast<std::uint32_t>(size)) {
    size = std::min(kUnit, end - at);
    const Index page = d.pages[at / kPageBytes];
    if (page == kNone) continue;
    const std::uint32_t unit = at % kPageBytes / kUnit;
    if ((pages_[page].received[unit / 64] >> (unit % 64) & 1) == 0) continue;
    if (std::memcmp(&pages_[page].bytes[at % kPageBytes], &part.bytes[at - part.offset], size) !=
        0) {
      return true;
    }
  }
  return false;
}

bool Fragments::reserve_pages(Index at, const FragmentPart& part) {
  Datagram& d = datagrams_[at];
  const std::uint32_t last = (end_of(part) - 1) / kPageBytes;
  for (std::uint32_t i = part.offset / kPageBytes; i <= last; ++i) {
    if (d.pages[i] != kNone) continue;
    while (free_pages_.empty()) {
      if (!evict_oldest(at)) return false;
    }
    d.pages[i] = free_pages_.back();
    free_pages_.pop_back();
    pages_[d.pages[i]].received.fill(0);
  }
  return true;
}

std::uint32_t Fragments::store(Datagram& d, const FragmentPart& part) {
  const std::uint32_t before = d.received;
  if (part.offset == 0 || d.header_length == 0) {
    d.header_length = static_cast<std::uint8_t>(part.ip_header.size());
    std::memcpy(d.header.data(), part.ip_header.data(), part.ip_header.size());
    d.protocol = part.protocol;
  }
  const std::uint32_t end = end_of(part);
  std::uint32_t size = 0;
  for (std::uint32_t at = part.offset; at < end; at += size) {
    size = std::min(kUnit, end - at);
    Page& page = pages_[d.pages[at / kPageBytes]];
    const std::uint32_t unit = at % kPageBytes / kUnit;
    const std::uint64_t bit = std::uint64_t{1} << (unit % 64);
    if ((page.received[unit / 64] & bit) != 0) continue;
    page.received[unit / 64] |= bit;
    std::memcpy(&page.bytes[at % kPageBytes], &part.bytes[at - part.offset], size);
    d.received += size;
  }
  d.highest = std::max(d.highest, end);
  if (!part.more) d.length = end;
  return d.received - before;
}

/// Writes the datagram out as if it had never been split.
void Fragments::finish(Index at, const FragmentPart& part) {
  Datagram& d = datagrams_[at];
  d.completed_by = digest(part);  // before the output is written: the part may lie in it

  std::uint8_t* header = output_.data();
  std::memcpy(header, d.header.data(), d.header_length);
  const auto put16 = [header](std::size_t offset, std::uint32_t value) {
    header[offset] = static_cast<std::uint8_t>(value >> 8);
    header[offset + 1] = static_cast<std::uint8_t>(value);
  };
  if (d.key.ip_version == 4) {
    header[0] = 0x45;
    put16(2, d.header_length + d.length);
    put16(6, 0);
    header[9] = d.protocol;
  } else {
    put16(4, d.length);
    header[6] = d.protocol;
  }
  for (std::uint32_t from = 0; from < d.length; from += kPageBytes) {
    const std::uint32_t size = std::min(kPageBytes, d.length - from);
    std::memcpy(header + d.header_length + from, pages_[d.pages[from / kPageBytes]].bytes.data(),
                size);
  }
  output_length_ = d.header_length + d.length;
  output_frames_ = d.frames;

  free_pages(d);
  d.phase = Phase::whole;
  by_age_.remove(datagrams_, at);
  by_age_.add_oldest(datagrams_, at);
}

Fragments::Index Fragments::begin(const FragmentKey& key, TimeNs now) {
  if (free_datagrams_.empty() && !evict_oldest(kNone)) return kNone;
  const Index at = free_datagrams_.back();
  free_datagrams_.pop_back();
  datagrams_[at].pages.fill(kNone);
  reset(at, key, now);
  by_age_.add_newest(datagrams_, at);
  Index& head = bucket(key);
  datagrams_[at].chain = head;
  head = at;
  return at;
}

/// An open datagram without bytes; its place in the hash chain stays.
void Fragments::reset(Index at, const FragmentKey& key, TimeNs now) {
  Datagram& d = datagrams_[at];
  free_pages(d);
  d.key = key;
  d.begun = now;
  d.phase = Phase::open;
  d.header_length = 0;
  d.length = kUnknownLength;
  d.highest = d.received = d.frames = 0;
}

bool Fragments::evict_oldest(Index except) {
  Index at = by_age_.oldest();
  if (at == except && at != kNone) at = datagrams_[at].newer;
  if (at == kNone) return false;
  if (datagrams_[at].phase == Phase::open) ++evicted_;
  release(at);
  return true;
}

void Fragments::release(Index at) {
  free_pages(datagrams_[at]);
  by_age_.remove(datagrams_, at);
  unchain(at);
  free_datagrams_.push_back(at);
}

void Fragments::free_pages(Datagram& d) {
  for (Index& page : d.pages) {
    if (page != kNone) free_pages_.push_back(page);
    page = kNone;
  }
}

std::size_t Fragments::bucket_index(const FragmentKey& key) const {
  return hash(key, hash_seed_) & (buckets_.size() - 1);
}

Fragments::Index& Fragments::bucket(const FragmentKey& key) { return buckets_[bucket_index(key)]; }

Fragments::Index Fragments::find(const FragmentKey& key) const {
  Index at = buckets_[bucket_index(key)];
  while (at != kNone && !(datagrams_[at].key == key)) at = datagrams_[at].chain;
  return at;
}

void Fragments::unchain(Index at) {
  Index* link = &bucket(datagrams_[at].key);
  while (*link != at) link = &datagrams_[*link].chain;
  *link = datagrams_[at].chain;
}

}  // namespace wirelag::decode
