#include <wirelag/track/http/tracker.hpp>

namespace wirelag {
namespace {

/// Bytes kept of each text, in the order of HttpTracker::Text.
constexpr std::array<std::size_t, HttpTracker::kTexts> kLongestText = {32,   512, 4096,
                                                                       1024, 128, 1024};

/// A usual request needs one block for its texts, a browser's with a long target and referer two.
constexpr std::size_t kTextBlocksPerRequest = 2;

bool is_interim(std::uint16_t status) { return status / 100 == 1 && status != 101; }

HttpRequestKind kind_of(std::string_view method) {
  if (method == "HEAD") return HttpRequestKind::head;
  if (method == "CONNECT") return HttpRequestKind::connect;
  return HttpRequestKind::ordinary;
}

/// `n` more bytes of a message that came with `chunk`.
void extend(FrameSpan& frames, TimeNs& first_ns, TimeNs& last_ns, std::uint64_t& bytes,
            const StreamChunk& chunk, std::uint64_t n) {
  HttpArrival arrival{frames, first_ns, last_ns, bytes};
  arrival.add(chunk, n);
  frames = arrival.frames;
  first_ns = arrival.first_ns;
  last_ns = arrival.last_ns;
  bytes = arrival.bytes;
}

}  // namespace

HttpTracker::HttpTracker(const HttpLimits& limits, Classifier& classifier, TransactionSink& sink,
                         Counters& counters)
    : exchanges_per_connection_(std::max<std::uint32_t>(1, limits.open_requests / 4)),
      classifier_(classifier),
      sink_(sink),
      counters_(counters),
      parser_(limits, counters, *this),
      connections_(limits.connections),
      exchanges_(limits.open_requests),
      texts_(kTextBlocksPerRequest * limits.open_requests) {}

bool HttpTracker::answered(const Exchange& e) { return e.facts.status != 0; }

// ------------------------------------------------------------------------- StreamTracker

StreamTracker::Handle HttpTracker::open(const StreamContext& context) {
  const Handle handle = connections_.take();
  if (handle == Pool<Connection>::kNone) {
    counters_.add(Counter::http_streams_full);
    return kNone;
  }
  connections_[handle].context = context;
  return handle;
}

void HttpTracker::on_bytes(Handle handle, const StreamChunk& chunk) {
  at_ = &connections_[handle];
  parser_.feed(at_->stream[index(chunk.direction)], chunk);
}

void HttpTracker::on_gap(Handle handle, Direction direction, std::uint64_t missing) {
  at_ = &connections_[handle];
  const bool exact = parser_.gap(at_->stream[index(direction)], direction, missing);
  if (!exact && direction == Direction::s2c) at_->responses_lost = true;
}

void HttpTracker::on_fin(Handle handle, Direction direction, TimeNs, FrameNumber frame) {
  at_ = &connections_[handle];
  HttpStream& stream = at_->stream[index(direction)];
  if (direction == Direction::s2c && at_->response_open &&
      stream.state == HttpStream::State::body_until_close) {
    FrameSpan& frames = exchanges_[at_->first].facts.response_frames;
    frames.last = std::max(frames.last, frame);
  }
  parser_.finish(stream, direction);
  if (direction == Direction::s2c) end_of_responses();
}

ServiceId HttpTracker::service(Handle handle) const { return connections_[handle].service; }

void HttpTracker::close(Handle handle, ConnectionEnd) {
  at_ = &connections_[handle];
  for (const Direction d : {Direction::c2s, Direction::s2c})
    parser_.abort(at_->stream[index(d)], d);
  while (at_->first != kNoExchange) emit_first();
  connections_.give(handle);
}

HttpTracker::Usage HttpTracker::usage() const {
  return {connections_.in_use(), exchanges_.in_use(), texts_.blocks_in_use(),
          parser_.buffers_in_use()};
}

// ------------------------------------------------------------------------------- pairing

void HttpTracker::on_start(Direction direction, const HttpStart& start) {
  if (direction == Direction::c2s) {
    begin_request(start);
  } else {
    begin_response(start);
  }
}

void HttpTracker::begin_request(const HttpStart& start) {
  // Order decides who gets which response: behind an untracked request all are untracked.
  at_->request = at_->untracked == 0 ? new_exchange() : kNoExchange;
  if (at_->request == kNoExchange) return;
  Exchange& e = exchanges_[at_->request];
  e.kind = kind_of(start.method);
  e.facts.request_seen = true;
  e.facts.request_frames = start.arrival.frames;
  e.facts.request_first_ns = start.arrival.first_ns;
  e.facts.request_last_ns = start.arrival.last_ns;
  e.facts.request_bytes = start.arrival.bytes;
  append_text(e, kMethod, start.method, false);
  append_text(e, kTarget, start.target, false);
  if (start.cut) mark_cut(e);
}

void HttpTracker::end_request_head(const HttpHeadEnd& head) {
  if (at_->request == kNoExchange) {
    ++at_->untracked;
    counters_.add(Counter::http_requests_full);
    return;
  }
  const bool front_answered = at_->first != kNoExchange && answered(exchanges_[at_->first]);
  HttpTransaction& t = exchanges_[at_->request].facts;
  t.pipelined = at_->exchanges > (front_answered ? 1U : 0U);
  t.request_headers_ns = t.request_last_ns;
  t.keep_alive = head.persistent;
  queue(at_->request);
}

void HttpTracker::begin_response(const HttpStart& start) {
  if (is_interim(start.status)) {
    if (at_->first == kNoExchange) return;
    Exchange& e = exchanges_[at_->first];
    if (!answered(e) && e.facts.interim_responses < UINT8_MAX) ++e.facts.interim_responses;
    return;
  }
  // Answered early, and the rest of its request never came: this response is the next one's.
  if (at_->first != kNoExchange && exchanges_[at_->first].response_done) emit_first();
  if (at_->responses_lost) skip_lost_responses();
  if (at_->first == kNoExchange && at_->untracked > 0) {
    --at_->untracked;
    return;
  }
  if (at_->first == kNoExchange) {
    const std::uint32_t orphan = new_exchange();
    if (orphan == kNoExchange) {
      counters_.add(Counter::http_requests_full);
      return;
    }
    queue(orphan);
  }
  at_->response_open = true;
  Exchange& e = exchanges_[at_->first];
  e.facts.status = start.status;
  e.facts.early_response = at_->first == at_->request;
  e.facts.response_frames = start.arrival.frames;
  e.facts.response_first_ns = start.arrival.first_ns;
  e.facts.response_last_ns = start.arrival.last_ns;
  e.facts.response_bytes = start.arrival.bytes;
}

/// Whole responses may have been in the hole: the one that comes belongs to the latest request.
void HttpTracker::skip_lost_responses() {
  at_->responses_lost = false;
  if (at_->untracked > 0) {
    while (at_->first != kNoExchange) emit_first();
    at_->untracked = 1;
    return;
  }
  if (at_->exchanges < 2) return;
  while (at_->exchanges > 1) emit_first();
  exchanges_[at_->first].facts.resynchronised = true;
}

void HttpTracker::on_message_end(Direction direction, HttpEnd end) {
  if (end == HttpEnd::in_head) counters_.add(Counter::http_heads_cut);
  if (direction == Direction::c2s) {
    if (at_->request != kNoExchange) end_request(end);
  } else {
    if (at_->response_open) end_response(end);
  }
}

void HttpTracker::end_request(HttpEnd end) {
  const std::uint32_t i = at_->request;
  at_->request = kNoExchange;
  if (end == HttpEnd::in_head) return release(i);
  Exchange& e = exchanges_[i];
  e.facts.request_complete = end == HttpEnd::complete;
  if (e.response_done) emit_first();
}

void HttpTracker::end_response(HttpEnd end) {
  Exchange& e = exchanges_[at_->first];
  at_->response_open = false;
  if (end == HttpEnd::in_head) return forget_response(e);
  e.facts.response_complete = end == HttpEnd::complete;
  e.response_done = true;
  if (at_->first != at_->request) emit_first();
}

/// As if its status line had not come.
void HttpTracker::forget_response(Exchange& e) {
  HttpTransaction& t = e.facts;
  if (!t.request_seen) return drop_first();
  t.status = 0;
  t.early_response = false;
  t.response_frames = {};
  t.response_first_ns = t.response_last_ns = kUnknownNs;
  t.response_bytes = t.response_body_bytes = 0;
  e.texts[kContentType] = e.texts[kLocation] = {};
}

/// The server's FIN: what is unanswered now stays so. A request still coming waits for its end.
void HttpTracker::end_of_responses() {
  while (at_->first != kNoExchange && at_->first != at_->request) emit_first();
  at_->untracked = 0;
}

// --------------------------------------------------------------------- the FIFO of exchanges

/// kNoExchange when there is no room for it.
std::uint32_t HttpTracker::new_exchange() {
  if (at_->exchanges >= exchanges_per_connection_) return kNoExchange;
  const std::uint32_t i = exchanges_.take();
  if (i == kNoExchange) return kNoExchange;
  HttpTransaction& t = exchanges_[i].facts;
  t.connection = at_->context.connection;
  t.client = at_->context.client;
  t.server = at_->context.server;
  t.service = at_->service;
  return i;
}

void HttpTracker::queue(std::uint32_t i) {
  (at_->first == kNoExchange ? at_->first : exchanges_[at_->last].next) = i;
  at_->last = i;
  ++at_->exchanges;
}

void HttpTracker::emit_first() {
  Exchange& e = exchanges_[at_->first];
  HttpTransaction& t = e.facts;
  if (t.request_complete && answered(e)) t.early_response = t.response_first_ns < t.request_last_ns;
  texts_.copy(e.chain, text_out_.data());
  const auto text = [&](Text which) {
    return std::string_view(text_out_.data() + e.texts[which].offset, e.texts[which].length);
  };
  t.views() = std::tuple(text(kMethod), text(kHost), text(kTarget), text(kReferer),
                         text(kContentType), text(kLocation));
  sink_.emit(&t);
  drop_first();
}

void HttpTracker::drop_first() {
  const std::uint32_t i = at_->first;
  if (i == at_->last) at_->last = kNoExchange;
  if (i == at_->request) at_->request = kNoExchange;
  at_->response_open = false;
  at_->first = exchanges_[i].next;
  --at_->exchanges;
  release(i);
}

void HttpTracker::release(std::uint32_t i) {
  texts_.release(exchanges_[i].chain);
  exchanges_.give(i);
}

// --------------------------------------------------------------------- facts of a message

/// The exchange whose message in this direction is being read; nullptr for what is not tracked.
HttpTracker::Exchange* HttpTracker::receiving(Direction direction) {
  if (direction == Direction::c2s) {
    return at_->request != kNoExchange ? &exchanges_[at_->request] : nullptr;
  }
  return at_->response_open ? &exchanges_[at_->first] : nullptr;
}

HttpRequestKind HttpTracker::answered_request() const {
  return at_->response_open ? exchanges_[at_->first].kind : HttpRequestKind::ordinary;
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
  }
  if (tunnel) parser_.abort(at_->stream[index(Direction::c2s)], Direction::c2s);
}

void HttpTracker::on_message_bytes(const StreamChunk& chunk, std::uint64_t bytes,
                                   std::uint64_t body) {
  Exchange* e = receiving(chunk.direction);
  if (e == nullptr) return;
  HttpTransaction& t = e->facts;
  if (chunk.direction == Direction::c2s) {
    extend(t.request_frames, t.request_first_ns, t.request_last_ns, t.request_bytes, chunk, bytes);
  } else {
    extend(t.response_frames, t.response_first_ns, t.response_last_ns, t.response_bytes, chunk,
           bytes);
    t.response_body_bytes += body;
  }
}

void HttpTracker::on_missing_bytes(Direction direction, std::uint64_t bytes) {
  Exchange* e = receiving(direction);
  if (e == nullptr) return;
  if (direction == Direction::c2s) {
    e->facts.request_bytes += bytes;
  } else {
    e->facts.response_bytes += bytes;
    e->facts.response_body_bytes += bytes;
  }
}

// ------------------------------------------------------------------------------------ texts

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
