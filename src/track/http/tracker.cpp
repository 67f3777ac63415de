// What comes from outside (open, bytes, holes, FIN, close) and what a message brings (bytes,
// fields). Which response belongs to which request is decided in pairing.cpp.
#include <wirelag/base/prefetch.hpp>
#include <wirelag/track/http/tracker.hpp>

namespace wirelag {
namespace {

/// Bytes kept of each text, in the order of HttpTracker::Text.
constexpr std::array<std::size_t, HttpTracker::kTexts> kLongestText = {32,   512, 4096,
                                                                       1024, 128, 1024};

/// A usual request needs one block for its texts, a browser's with a long target and referer two.
constexpr std::size_t kTextBlocksPerRequest = 2;

/// What holes leave open is looked for among all requests of a connection: so many bound what a response can cost.
/// Clients that pipeline send a few dozen.
constexpr std::uint32_t kMostPerConnection = 256;

/// What is known to belong to the message that is being read.
std::uint64_t body_left(const HttpStream& stream) {
  return stream.state == HttpStream::State::body_length ? stream.remaining : 0;
}

/// `n` more bytes of a message that came with `chunk`.
void extend(FrameSpan& frames, TimeNs& first_ns, TimeNs& last_ns, std::uint64_t& bytes,
            const StreamChunk& chunk, std::uint64_t n) {
  HttpArrival arrival{{}, frames, first_ns, last_ns, bytes, {}, {}};
  arrival.add(chunk, n);
  frames = arrival.frames;
  first_ns = arrival.first_ns;
  last_ns = arrival.last_ns;
  bytes = arrival.bytes;
}

}  // namespace

HttpTracker::HttpTracker(const HttpLimits& limits, Classifier& classifier, TransactionSink& sink,
                         Counters& counters)
    : exchanges_per_connection_(
          std::clamp<std::uint32_t>(limits.open_requests / 4, 1, kMostPerConnection)),
      classifier_(classifier),
      sink_(sink),
      counters_(counters),
      parser_(limits, counters, *this),
      connections_(limits.connections),
      exchanges_(limits.open_requests),
      texts_(kTextBlocksPerRequest * limits.open_requests) {}

// ------------------------------------------------------------------------- StreamTracker

StreamTracker::Handle HttpTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::http_streams_full);
    return kNone;
  }
  Connection& c = connections_[handle];
  c.context = context;
  c.unread = c.requests_lost = context.client_unread > 0;
  counters_.add(Counter::http_bytes_skipped, context.client_unread);
  return handle;
}

void HttpTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  at_ = &connections_[handle];
  if (chunk.direction == Direction::s2c && chunk.other_behind) at_->requests_lost = true;
  parser_.feed(at_->stream[index(chunk.direction)], chunk);
  advance(chunk, chunk.bytes.size());
}

void HttpTracker::prefetch(Handle handle, Direction) const {
  prefetch_lines<sizeof(Connection)>(&connections_[handle]);
}

void HttpTracker::on_gap(Handle handle, Direction direction, std::uint64_t missing) {
  at_ = &connections_[handle];
  at_->holes = true;
  HttpStream& stream = at_->stream[index(direction)];
  const std::uint64_t rest = body_left(stream);
  HttpHole hole = parser_.gap(stream, direction, missing);
  if (at_->context.from_start && !at_->begun[index(direction)]) hole = HttpHole::hides_begin;
  lose_step(direction, hole, rest);
  if (direction == Direction::s2c) at_->response_gap = at_->responses_lost;
  at_->begun[index(direction)] = true;
  (direction == Direction::s2c ? at_->end_seq : at_->asked_seq) +=
      static_cast<std::uint32_t>(missing);
}

void HttpTracker::on_cut(Handle handle, const StreamChunk& chunk, std::uint64_t missing) {
  at_ = &connections_[handle];
  HttpStream& stream = at_->stream[index(chunk.direction)];
  const std::uint64_t rest = body_left(stream);
  const HttpHole hole = parser_.cut(stream, chunk, missing);
  if (hole != HttpHole::in_step) at_->holes = true;
  lose_step(chunk.direction, hole, rest);
  advance(chunk, missing);
}

/// `bytes` from chunk.seq on have come.
void HttpTracker::advance(const StreamChunk& chunk, std::uint64_t bytes) {
  at_->begun[index(chunk.direction)] = true;
  const std::uint32_t end_seq = chunk.seq + static_cast<std::uint32_t>(bytes);
  if (chunk.direction == Direction::s2c) {
    at_->end_seq = end_seq;
  } else {
    if (!at_->placed) at_->end_seq = chunk.ack;  // nothing of the server's came before
    at_->asked_seq = end_seq;
    at_->asked = chunk.acks;
  }
  at_->placed = at_->placed || chunk.acks;
}

void HttpTracker::on_fin(Handle handle, Direction direction, TimeNs, FrameNumber frame) {
  at_ = &connections_[handle];
  HttpStream& stream = at_->stream[index(direction)];
  if (direction == Direction::s2c && at_->response != kNoExchange &&
      stream.state == HttpStream::State::body_until_close) {
    FrameSpan& frames = exchanges_[at_->response].facts.response_frames;
    frames.last = std::max(frames.last, frame);
  }
  parser_.finish(stream, direction);
  if (direction == Direction::s2c) end_of_responses();
}

StreamInterest HttpTracker::interest(Handle handle) const {
  const Connection& c = connections_[handle];
  if (c.tunnel) return StreamInterest::other_protocol;
  const bool over = c.stream[0].state == HttpStream::State::ended &&
                    c.stream[1].state == HttpStream::State::ended;
  return over ? StreamInterest::nothing : StreamInterest::bytes;
}

ServiceId HttpTracker::service(Handle handle) const { return connections_[handle].service; }

void HttpTracker::close(Handle handle) {
  at_ = &connections_[handle];
  for (const Direction d : {Direction::c2s, Direction::s2c})
    parser_.abort(at_->stream[index(d)], d);
  if (at_->responses_lost || at_->in_doubt) release_unanswered_before(kNoExchange);
  while (at_->first != kNoExchange) take_first();
  connections_.give(handle);
}

HttpTracker::Usage HttpTracker::usage() const {
  return {connections_.in_use(), exchanges_.in_use(), texts_.blocks_in_use(),
          parser_.buffers_in_use()};
}

// --------------------------------------------------------------------- facts of a message

/// The exchange whose message in this direction is being read; nullptr for what is not tracked.
HttpTracker::Exchange* HttpTracker::receiving(Direction direction) {
  if (direction == Direction::c2s) {
    return at_->request != kNoExchange ? &exchanges_[at_->request] : nullptr;
  }
  return at_->response != kNoExchange ? &exchanges_[at_->response] : nullptr;
}

HttpRequestKind HttpTracker::answered_request() const {
  return at_->response != kNoExchange ? exchanges_[at_->response].kind : HttpRequestKind::ordinary;
}

void HttpTracker::on_field(Direction direction, HttpField field, std::string_view value,
                           bool continued) {
  Exchange* e = receiving(direction);
  if (e == nullptr) return;
  if (direction == Direction::c2s) {
    if (field == HttpField::host) {
      if (e->texts[kHost].length == 0) {
        e->facts.service = at_->service = classifier_.service_of(value);
      }
      append_text(*e, kHost, value, continued);
    }
    if (field == HttpField::referer) append_text(*e, kReferer, value, continued);
  } else {
    if (field == HttpField::content_type) append_text(*e, kContentType, value, continued);
    if (field == HttpField::location) append_text(*e, kLocation, value, continued);
  }
}

void HttpTracker::on_head_end(Direction direction, const HttpHeadEnd& head) {
  if (direction == Direction::c2s) return end_request_head(head);
  const bool tunnel = head.body == HttpBody::tunnel;
  if (Exchange* e = receiving(direction)) {
    e->facts.keep_alive = e->facts.keep_alive && head.persistent && !tunnel;
    e->facts.ends_with_close = head.body == HttpBody::until_close;
  }
  if (tunnel) {
    at_->tunnel = true;
    parser_.abort(at_->stream[index(Direction::c2s)], Direction::c2s);
  }
}

void HttpTracker::on_message_bytes(const StreamChunk& chunk, std::uint64_t bytes,
                                   std::uint64_t body) {
  Exchange* e = receiving(chunk.direction);
  if (e == nullptr) return;
  HttpTransaction& t = e->facts;
  if (chunk.direction == Direction::c2s) {
    extend(t.request_frames, t.request_first_ns, t.request_last_ns, t.request_bytes, chunk, bytes);
    e->request_marks.add(chunk.progress, chunk.other_progress);
  } else {
    extend(t.response_frames, t.response_first_ns, t.response_last_ns, t.response_bytes, chunk,
           bytes);
    if (t.response_body_bytes != kUnknownBodyBytes) t.response_body_bytes += body;
    e->response_meter.add(chunk.progress, chunk.burst, bytes);
    e->response_marks.add(chunk.progress, chunk.other_progress);
  }
}

void HttpTracker::on_body_unknown(Direction direction) {
  Exchange* e = receiving(direction);
  if (e != nullptr && direction == Direction::s2c) {
    e->facts.response_body_bytes = kUnknownBodyBytes;
  }
}

void HttpTracker::on_missing_bytes(Direction direction, std::uint64_t bytes) {
  Exchange* e = receiving(direction);
  if (e == nullptr) return;
  if (direction == Direction::c2s) {
    e->facts.request_bytes += bytes;
  } else {
    e->facts.response_bytes += bytes;
    if (e->facts.response_body_bytes != kUnknownBodyBytes) e->facts.response_body_bytes += bytes;
  }
}

// ------------------------------------------------------------------------------------ texts

/// After texts_.copy() of this exchange into text_out_.
std::string_view HttpTracker::text_of(const Exchange& e, Text which) const {
  return {text_out_.data() + e.texts[which].offset, e.texts[which].length};
}

/// The first value of a field counts; `continued` adds to it as long as nothing else came after it.
void HttpTracker::append_text(Exchange& e, Text which, std::string_view value, bool continued) {
  Exchange::Span& span = e.texts[which];
  if (span.length > 0) {
    if (!continued || std::size_t{span.offset} + span.length != e.chain.size) return;
    append_bytes(e, which, " ");
  } else {
    span.offset = static_cast<std::uint16_t>(e.chain.size);
  }
  append_bytes(e, which, value);
}

void HttpTracker::append_bytes(Exchange& e, Text which, std::string_view bytes) {
  Exchange::Span& span = e.texts[which];
  const std::size_t room = kLongestText[which] - span.length;
  const std::size_t kept = texts_.append(e.chain, bytes.substr(0, room));
  span.length = static_cast<std::uint16_t>(span.length + kept);
  if (kept < bytes.size()) mark_cut(e);
}

void HttpTracker::mark_cut(Exchange& e) {
  if (!e.facts.text_cut) counters_.add(Counter::http_texts_cut);
  e.facts.text_cut = true;
}

}  // namespace wirelag
