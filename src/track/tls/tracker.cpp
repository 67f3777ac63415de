#include <wirelag/base/pool.hpp>
#include <wirelag/base/prefetch.hpp>
#include <wirelag/track/tls/tracker.hpp>

#include "handshake.hpp"
#include "hello_buffers.hpp"
#include "record_reader.hpp"

namespace wirelag {
namespace {

struct TlsStream {
  bool live = false;  ///< bytes are still read
  ServiceId service = kNoService;
  PerDirection<tls::RecordReader> readers;
  tls::Handshake handshake;
};

}  // namespace

struct TlsTracker::State {
  State(const TlsLimits& limits, Classifier& names, TransactionSink& out, Counters& counts)
      : streams(limits.connections),
        buffers(limits.hello_buffers, limits.hello_bytes),
        classifier(names),
        sink(out),
        counters(counts) {}

  void read(TlsStream& stream, const StreamChunk& chunk);
  void on_event(TlsStream& stream, Direction direction, tls::RecordReader::Event event);
  void finish(TlsStream& stream);

  Pool<TlsStream> streams;
  tls::HelloBuffers buffers;
  Classifier& classifier;
  TransactionSink& sink;
  Counters& counters;
};

TlsTracker::TlsTracker(const TlsLimits& limits, Classifier& classifier, TransactionSink& sink,
                       Counters& counters)
    : state_(std::make_unique<State>(limits, classifier, sink, counters)) {}

TlsTracker::~TlsTracker() = default;

StreamTracker::Handle TlsTracker::open(const StreamContext& context) {
  const Handle handle = state_->streams.take();
  if (handle == Pool<TlsStream>::kNone) {
    state_->counters.add(Counter::tls_streams_full);
    return kNone;
  }
  TlsStream& stream = state_->streams[handle];
  stream.live = true;
  stream.handshake.open(context);
  return handle;
}

void TlsTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  TlsStream& stream = state_->streams[handle];
  if (!stream.live) return;
  state_->read(stream, chunk);
}

void TlsTracker::prefetch(Handle handle, Direction direction) const {
  const TlsStream& stream = state_->streams[handle];
  prefetch_line(&stream);
  prefetch_line(&stream.readers[direction]);
  prefetch_line(&stream.handshake);
}

void TlsTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  TlsStream& stream = state_->streams[handle];
  if (!stream.live) return;
  tls::RecordReader& reader = stream.readers[chunk.direction];
  reader.cut(missing, chunk, state_->buffers);
  state_->read(stream, chunk);
  if (stream.live && reader.end_cut(state_->buffers)) {
    stream.handshake.on_place_lost(chunk.direction);
  }
}

void TlsTracker::State::read(TlsStream& stream, const StreamChunk& chunk) {
  tls::RecordReader& reader = stream.readers[chunk.direction];
  stream.handshake.set_other_behind(chunk.other_behind);
  Bytes rest = chunk.bytes;
  while (stream.live) {
    reader.set_encrypted(stream.handshake.encrypted(chunk.direction));
    const auto event = reader.read(rest, chunk, buffers, counters);
    if (event == tls::RecordReader::Event::none) return;
    on_event(stream, chunk.direction, event);
  }
}

void TlsTracker::State::on_event(TlsStream& stream, Direction direction,
                                 tls::RecordReader::Event event) {
  using Event = tls::RecordReader::Event;
  const tls::RecordReader& reader = stream.readers[direction];
  tls::Handshake& handshake = stream.handshake;
  bool malformed = false;
  switch (event) {
    case Event::none: return;
    case Event::record_begins: handshake.on_record_begins(direction, reader); break;
    case Event::message: handshake.on_message(direction, reader); break;
    case Event::hello:
      handshake.on_hello(direction, reader);
      if (stream.service == kNoService && !handshake.sni().empty())
        stream.service = classifier.service_of(handshake.sni());
      break;
    case Event::record_ends: handshake.on_record_ends(direction, reader); break;
    case Event::broken: malformed = true; break;
  }
  malformed = malformed || handshake.malformed();
  if (malformed) counters.add(Counter::tls_malformed);
  if (malformed || handshake.over()) finish(stream);
}

/// Tells what was seen; the connection is no longer of interest.
void TlsTracker::State::finish(TlsStream& stream) {
  if (!stream.live) return;
  stream.live = false;
  stream.readers.c2s.release(buffers);
  stream.readers.s2c.release(buffers);
  if (!stream.handshake.worth_telling()) return;
  TlsHandshake transaction = stream.handshake.told();
  transaction.service = stream.service;
  sink.emit(&transaction);
}

void TlsTracker::on_gap(Handle handle, Direction direction, std::uint64_t missing) {
  TlsStream& stream = state_->streams[handle];
  if (!stream.live) return;
  const bool in_step = stream.readers[direction].skip_hole(missing, state_->buffers);
  if (!in_step) stream.handshake.on_place_lost(direction);
}

/// A message that is cut short by a FIN stays unseen; what the other side still sends counts.
void TlsTracker::on_fin(Handle, Direction, TimeNs, FrameNumber) {}

StreamInterest TlsTracker::interest(Handle handle) const {
  return state_->streams[handle].live ? StreamInterest::bytes : StreamInterest::nothing;
}

ServiceId TlsTracker::service(Handle handle) const { return state_->streams[handle].service; }

void TlsTracker::close(Handle handle) {
  state_->finish(state_->streams[handle]);
  state_->streams.give(handle);
}

}  // namespace wirelag
