#include <wirelag/base/cursor.hpp>
#include <wirelag/base/hash.hpp>
#include <wirelag/base/pool.hpp>
#include <wirelag/track/dns/tracker.hpp>

#include "query_table.hpp"
#include "records.hpp"
#include "stream.hpp"

namespace wirelag {
namespace {

constexpr std::uint16_t kDnsPort = 53, kMulticastDnsPort = 5353, kLlmnrPort = 5355;
constexpr std::size_t kExpiriesPerTick = 256;
constexpr std::size_t kBlocksPerStream = 32;  // about 2 KiB of unfinished messages each

bool uses(const Packet& packet, std::uint16_t port) {
  return packet.src.port == port || packet.dst.port == port;
}

bool is_multicast_dns(const Packet& packet) {
  return !uses(packet, kDnsPort) && (uses(packet, kMulticastDnsPort) || uses(packet, kLlmnrPort));
}

/// LLMNR over TCP (RFC 4795 section 2.4) follows a multicast question. Multicast DNS has no TCP: on
/// its port there is an ordinary resolver.
bool is_llmnr(const StreamContext& stream) { return stream.server.port == kLlmnrPort; }

std::size_t stream_blocks(const DnsLimits& limits) {
  const std::size_t two_largest = 2 * ByteChains::blocks_for(kLargestDnsMessage);
  return std::max<std::size_t>(kBlocksPerStream * limits.tcp_streams, two_largest);
}

/// Of all that a copy made by the mirror has in common with its original. Not 0.
std::uint32_t fingerprint(const Packet& packet) {
  std::uint64_t h = combine64(packet.ip_id, packet.payload_length);
  ByteCursor in(packet.payload);
  while (in.remaining() >= 8) h = (h ^ in.u64()) * 0x9e3779b97f4a7c15ULL ^ h >> 32;
  while (in.remaining() > 0) h = h << 8 ^ h >> 56 ^ in.u8();
  return static_cast<std::uint32_t>(mix64(h)) | 1;
}

struct Stream {
  StreamContext context;
  PerDirection<DnsFraming> framing;
  ServiceId service = kNoService;
  TimeNs order_ns = 0;  ///< StreamChunk::order_ns of the latest bytes
};

}  // namespace

struct DnsTracker::State {
  State(const DnsLimits& limits, Classifier& classifier, TransactionSink& sink, Counters& shared)
      : counters(shared),
        queries(limits, classifier, sink, shared),
        streams(limits.tcp_streams),
        reader(stream_blocks(limits), shared) {}

  /// Decodes seen.bytes and pairs the message; `cut`: the capture does not have all of it. False
  /// when it is not DNS.
  bool take(DnsSighting& seen, bool cut, ServiceId& service) {
    seen.bytes = seen.bytes.first(std::min(seen.bytes.size(), kLargestDnsMessage));
    if (!decode_message(seen.bytes, message)) return false;
    if (!message.header.known_opcode() && !message.has_question) return false;
    if (message.header.opcode() != 0) {  // a user waits for answers to a QUERY only
      counters.add(Counter::dns_other_opcodes);
      return true;
    }
    const bool ended_early = message.defect == DnsDefect::ended_early;
    seen.malformed = message.defect != DnsDefect::none && !(ended_early && cut);
    if (seen.malformed) counters.add(Counter::dns_malformed);
    service = queries.on_message(seen, message);
    return true;
  }

  Counters& counters;
  DnsQueryTable queries;
  Pool<Stream> streams;
  DnsStreamReader reader;
  DnsMessage message;  ///< of the message at hand
};

/// Sends the messages of one direction of a stream on to pairing.
class DnsTracker::StreamMessages final : public DnsMessageSink {
 public:
  StreamMessages(State& state, Stream& stream, Direction direction)
      : state_(state), stream_(stream), direction_(direction) {}

  bool on_message(Bytes message, bool cut, TimeNs time_ns, FrameNumber frame) override {
    if (is_llmnr(stream_.context)) {
      state_.counters.add(Counter::multicast_dns_messages);
      return true;
    }
    const bool from_client = direction_ == Direction::c2s;
    DnsSighting seen;
    seen.src = from_client ? stream_.context.client : stream_.context.server;
    seen.dst = from_client ? stream_.context.server : stream_.context.client;
    seen.transport = DnsTransport::tcp;
    seen.connection = stream_.context.connection;
    seen.time_ns = known(time_ns) ? time_ns : stream_.order_ns;
    seen.untimed = !known(time_ns);
    seen.frame = frame;
    seen.bytes = message;
    ServiceId service = kNoService;
    if (!state_.take(seen, cut, service)) {
      state_.counters.add(Counter::dns_malformed);
      return cut;  // too little of it to tell: the framing is right all the same
    }
    if (service != kNoService) stream_.service = service;
    return true;
  }

 private:
  State& state_;
  Stream& stream_;
  Direction direction_;
};

DnsTracker::DnsTracker(const DnsLimits& limits, Classifier& classifier, TransactionSink& sink,
                       Counters& counters)
    : state_(std::make_unique<State>(limits, classifier, sink, counters)) {}
DnsTracker::~DnsTracker() = default;

std::uint32_t DnsTracker::prefetch_bucket(const Packet& packet) const {
  return state_->queries.prefetch_bucket(packet.src, packet.dst, read_header(packet.payload));
}

void DnsTracker::prefetch_query(std::uint32_t hash) const { state_->queries.prefetch_entry(hash); }

NotAnalysed DnsTracker::on_datagram(const Packet& packet) {
  if (is_multicast_dns(packet)) {
    state_->counters.add(Counter::multicast_dns_messages);
    return NotAnalysed::multicast_dns;
  }
  DnsSighting seen;
  seen.src = packet.src;
  seen.dst = packet.dst;
  seen.time_ns = packet.time_ns;
  seen.untimed = packet.untimed;
  seen.frame = packet.number;
  seen.bytes = packet.payload;
  seen.print = fingerprint(packet);
  const bool cut = packet.payload.size() < packet.payload_length;
  ServiceId service = kNoService;
  return state_->take(seen, cut, service) ? NotAnalysed::none : NotAnalysed::udp_untracked;
}

StreamTracker::Handle DnsTracker::open(const StreamContext& context) {
  const Handle handle = state_->streams.take();
  if (handle == kNone) {
    state_->counters.add(Counter::dns_streams_full);
    return kNone;
  }
  state_->streams[handle].context = context;
  return handle;
}

void DnsTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  Stream& stream = state_->streams[handle];
  stream.order_ns = chunk.order_ns;
  StreamMessages messages(*state_, stream, chunk.direction);
  state_->reader.on_bytes(stream.framing[chunk.direction], chunk, messages);
}

void DnsTracker::on_gap(Handle handle, Direction direction, std::uint64_t missing) {
  Stream& stream = state_->streams[handle];
  StreamMessages messages(*state_, stream, direction);
  state_->reader.on_gap(stream.framing[direction], missing, messages);
}

/// Nothing to do: a message ends by its length, and queries may still be answered after a FIN.
void DnsTracker::on_fin(Handle, Direction, TimeNs, FrameNumber) {}

ServiceId DnsTracker::service(Handle handle) const { return state_->streams[handle].service; }

void DnsTracker::close(Handle handle) {
  Stream& stream = state_->streams[handle];
  state_->reader.close(stream.framing.c2s);
  state_->reader.close(stream.framing.s2c);
  state_->streams.give(handle);
}

void DnsTracker::tick(TimeNs now) { state_->queries.expire(now, kExpiriesPerTick); }
void DnsTracker::finish() { state_->queries.finish(); }

}  // namespace wirelag
