#include "stream.hpp"

#include <algorithm>

#include "records.hpp"

namespace wirelag {
namespace {

using Phase = DnsFraming::Phase;

constexpr std::size_t kTellingBytes = 2 + DnsHeader::kSize;
constexpr std::uint16_t kReservedFlag = 0x0040;  // Z, RFC 1035 section 4.1.1

/// Whether a segment that begins so may begin a message; asked only after the framing was lost.
bool begins_like_a_message(Bytes bytes) {
  if (bytes.size() < kTellingBytes) return false;
  const std::size_t length = static_cast<std::size_t>(bytes[0]) << 8 | bytes[1];
  const DnsHeader header = read_header(bytes.subspan(2));
  const std::size_t least = DnsHeader::kSize + 5U * header.qdcount +
                            11U * (std::size_t{header.ancount} + header.nscount + header.arcount);
  return length >= least && header.qdcount <= 1 && header.known_opcode() &&
         (header.flags & kReservedFlag) == 0;
}

}  // namespace

DnsStreamReader::DnsStreamReader(std::size_t blocks, Counters& counters)
    : chains_(blocks),
      counters_(counters),
      scratch_(std::make_unique<std::uint8_t[]>(kLargestDnsMessage)) {}

void DnsStreamReader::on_bytes(DnsFraming& framing, const StreamChunk& chunk,
                               DnsMessageSink& sink) {
  framing.last_time_ns = chunk.time_ns;
  framing.last_frame = chunk.frame;
  if (framing.phase == Phase::lost) {
    resynchronise(framing, chunk.bytes, sink);
  } else {
    consume(framing, chunk.bytes, sink);
  }
}

/// `bytes` are a segment's: the only place where a message may be expected to begin.
void DnsStreamReader::resynchronise(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink) {
  std::array<std::uint8_t, 2 * kTellingBytes> joined;
  const std::size_t held = framing.held_size;
  const Bytes beginning = bytes.first(std::min(bytes.size(), kTellingBytes));
  std::copy_n(framing.held.begin(), held, joined.begin());
  std::copy(beginning.begin(), beginning.end(), joined.begin() + static_cast<std::ptrdiff_t>(held));
  framing.held_size = 0;
  if (begins_like_a_message({joined.data(), held + beginning.size()})) {
    framing.phase = Phase::length;
    consume(framing, {joined.data(), held}, sink);
    consume(framing, bytes, sink);
  } else if (begins_like_a_message(bytes)) {
    counters_.add(Counter::dns_bytes_skipped, held);
    framing.phase = Phase::length;
    consume(framing, bytes, sink);
  } else if (bytes.size() < kTellingBytes) {
    counters_.add(Counter::dns_bytes_skipped, held);
    std::copy(bytes.begin(), bytes.end(), framing.held.begin());
    framing.held_size = static_cast<std::uint8_t>(bytes.size());
  } else {
    counters_.add(Counter::dns_bytes_skipped, held + bytes.size());
  }
}

void DnsStreamReader::consume(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink) {
  while (!bytes.empty()) {
    switch (framing.phase) {
      case Phase::length:
        framing.length_high = bytes[0];
        framing.phase = Phase::length_low;
        bytes = bytes.subspan(1);
        break;
      case Phase::length_low:
        begin_body(framing, static_cast<std::uint32_t>(framing.length_high) << 8 | bytes[0]);
        bytes = bytes.subspan(1);
        break;
      case Phase::body: bytes = take_body(framing, bytes, sink); break;
      case Phase::lost: counters_.add(Counter::dns_bytes_skipped, bytes.size()); return;
    }
  }
}

void DnsStreamReader::lose(DnsFraming& framing) {
  counters_.add(Counter::dns_bytes_skipped, framing.held_size);
  framing.phase = Phase::lost;
  framing.held_size = 0;
}

void DnsStreamReader::begin_body(DnsFraming& framing, std::uint32_t length) {
  if (length < DnsHeader::kSize) {
    counters_.add(Counter::dns_malformed);
    return lose(framing);
  }
  framing.phase = Phase::body;
  framing.missing = length;
  framing.cut = false;
}

/// Consumes the message's part of `bytes` and returns the rest.
Bytes DnsStreamReader::take_body(DnsFraming& framing, Bytes bytes, DnsMessageSink& sink) {
  const std::size_t n = std::min<std::size_t>(framing.missing, bytes.size());
  const Bytes part = bytes.first(n);
  framing.missing -= static_cast<std::uint32_t>(n);
  const bool whole_in_one_segment = framing.missing == 0 && framing.kept.size == 0 && !framing.cut;
  if (whole_in_one_segment) {
    const bool is_dns = sink.on_message(part, false, framing.last_time_ns, framing.last_frame);
    framing.phase = Phase::length;
    if (!is_dns) lose(framing);
    return bytes.subspan(n);
  }
  if (!framing.cut && !chains_.append(framing.kept, part)) {
    counters_.add(Counter::dns_stream_buffer_full);
    framing.cut = true;
  }
  if (framing.missing == 0) hand_over_kept(framing, sink);
  return bytes.subspan(n);
}

void DnsStreamReader::on_gap(DnsFraming& framing, std::uint64_t missing, DnsMessageSink& sink) {
  if (framing.phase != Phase::body) return lose(framing);
  const bool ends_beyond = missing > framing.missing;
  framing.missing -= ends_beyond ? framing.missing : static_cast<std::uint32_t>(missing);
  framing.cut = true;
  if (framing.missing > 0) return;
  hand_over_kept(framing, sink);
  if (ends_beyond) lose(framing);
}

void DnsStreamReader::hand_over_kept(DnsFraming& framing, DnsMessageSink& sink) {
  const std::size_t size = framing.kept.size;
  chains_.read(framing.kept.head, size, scratch_.get());
  drop_kept(framing);
  const bool is_dns = sink.on_message({scratch_.get(), size}, framing.cut, framing.last_time_ns,
                                      framing.last_frame);
  framing.phase = Phase::length;
  if (!is_dns) lose(framing);
}

void DnsStreamReader::drop_kept(DnsFraming& framing) {
  chains_.release(framing.kept.head, framing.kept.size);
  framing.kept = {};
}

void DnsStreamReader::close(DnsFraming& framing) {
  if (framing.phase == Phase::body) counters_.add(Counter::dns_malformed);
  counters_.add(Counter::dns_bytes_skipped, framing.held_size);
  drop_kept(framing);
}

}  // namespace wirelag
