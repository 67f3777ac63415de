// The FIFO of tracker.hpp: what begins and ends, and when an exchange has all it will get. Which response is to which
// request: evidence.cpp.
#include "pairing.hpp"

#include <algorithm>
#include <utility>

namespace wirelag {
namespace {

/// Responses without a request that one connection keeps for requests that come late.
constexpr std::uint32_t kKeptResponses = 4;

bool is_interim(std::uint16_t status) { return status / 100 == 1 && status != 101; }

HttpRequestKind kind_of(std::string_view method) {
  if (method == "HEAD") return HttpRequestKind::head;
  if (method == "CONNECT") return HttpRequestKind::connect;
  return HttpRequestKind::ordinary;
}

}  // namespace

// ------------------------------------------------------------------------------ requests

void HttpTracker::on_start(Direction direction, const HttpStart& start) {
  if (direction == Direction::c2s) {
    begin_request(start);
  } else {
    begin_response(start);
  }
}

void HttpTracker::on_message_end(Direction direction, HttpEnd end) {
  if (end == HttpEnd::in_head) counters_.add(Counter::http_heads_cut);
  if (direction == Direction::c2s) {
    if (at_->request != kNoExchange) end_request(end);
  } else {
    if (at_->response != kNoExchange) end_response(end);
  }
}

void HttpTracker::on_skipped(Direction direction, std::uint64_t bytes) {
  counters_.add(Counter::http_bytes_skipped, bytes);
  if (direction == Direction::s2c) return;
  at_->unread = at_->requests_lost = true;
  if (at_->latest.any) at_->behind = std::max(at_->behind, HttpHole::may_hide);
}

void HttpTracker::begin_request(const HttpStart& start) {
  see_pipelining(start.arrival.place);
  // Order decides who gets which response: behind an untracked request all are untracked.
  at_->request = at_->untracked == 0 ? new_exchange() : kNoExchange;
  if (at_->request == kNoExchange) return;
  Exchange& e = exchanges_[at_->request];
  e.kind = kind_of(start.method);
  e.request_place = start.arrival.place;
  e.facts.request_seen = true;
  e.facts.request_frames = start.arrival.frames;
  e.facts.request_first_ns = start.arrival.first_ns;
  e.facts.request_last_ns = start.arrival.last_ns;
  e.facts.request_bytes = start.arrival.bytes;
  e.request_marks = start.arrival.marks;
  append_text(e, kMethod, start.method, false);
  append_text(e, kTarget, start.target, false);
  if (start.cut) mark_cut(e);
}

void HttpTracker::end_request_head(const HttpHeadEnd& head) {
  if (at_->request == kNoExchange) {
    ++at_->untracked;
    // A response that could not be paired may count as its.
    if (at_->holes) at_->behind = std::max(at_->behind, HttpHole::may_hide);
    counters_.add(Counter::http_requests_full);
    return;
  }
  at_->unread = false;
  Exchange& e = exchanges_[at_->request];
  e.behind = std::exchange(at_->behind, HttpHole::in_step);
  HttpTransaction& t = e.facts;
  const HttpStream& stream = at_->stream[index(Direction::c2s)];
  if (head.body == HttpBody::none) e.request_length = t.request_bytes;
  if (head.body == HttpBody::length) e.request_length = t.request_bytes + stream.remaining;
  t.request_headers_ns = t.request_last_ns;
  t.keep_alive = head.persistent;
  if (claim_response(at_->request)) return;
  // When its predecessor is still there, emit() decides by time.
  t.pipelined = at_->last != kNoExchange && exchanges_[at_->last].facts.unanswered();
  push_back(at_->request);
  emit_settled();
}

void HttpTracker::move_request(std::uint32_t from, std::uint32_t to) {
  Exchange& r = exchanges_[from];
  Exchange& e = exchanges_[to];
  const HttpTransaction& t = r.facts;
  e.kind = r.kind;
  e.behind = r.behind;
  e.request_length = r.request_length;
  e.request_place = r.request_place;
  e.facts.resynchronised = r.facts.resynchronised;
  e.facts.request_seen = true;
  e.facts.request_unreadable = false;
  e.facts.service = t.service;
  e.facts.keep_alive = e.facts.keep_alive && t.keep_alive;
  e.facts.request_frames = t.request_frames;
  e.facts.request_first_ns = t.request_first_ns;
  e.facts.request_headers_ns = t.request_headers_ns;
  e.facts.request_last_ns = t.request_last_ns;
  e.facts.request_bytes = t.request_bytes;
  e.request_marks = r.request_marks;
  texts_.copy(r.chain, text_out_.data());
  for (const Text text : {kMethod, kHost, kTarget, kReferer}) {
    append_text(e, text, text_of(r, text), false);
  }
  if (t.text_cut) e.facts.text_cut = true;
  release(from);
  at_->request = to;
}

void HttpTracker::end_request(HttpEnd end) {
  const std::uint32_t i = at_->request;
  at_->request = kNoExchange;
  if (end == HttpEnd::in_head) return release(i);
  Exchange& e = exchanges_[i];
  e.facts.request_complete = end == HttpEnd::complete;
  if (e.facts.request_complete) e.request_length = e.facts.request_bytes;
  emit_settled();
}

// ----------------------------------------------------------------------------- responses

void HttpTracker::begin_response(const HttpStart& start) {
  const Match match = request_of(start.arrival);
  const HttpRequestKind kind =
      match.exchange != kNoExchange ? exchanges_[match.exchange].kind : HttpRequestKind::ordinary;
  const std::uint32_t asked = match.certain ? match.exchange : kNoExchange;
  if (is_interim(start.status)) {
    if (asked == kNoExchange) return;
    std::uint8_t& interim = exchanges_[asked].facts.interim_responses;
    if (interim < UINT8_MAX) ++interim;
    return;
  }
  const bool behind_hole = at_->responses_lost;
  const HttpArrival::Place& place = start.arrival.place;
  Began before = std::exchange(
      at_->latest, {start.arrival.first_ns, place.seq, place.ack, place.acks, place.acks, true});
  if (behind_hole) {
    before = {kUnknownNs, at_->lost_seq, before.ack, at_->placed, before.acks && !at_->response_gap,
              true};
  }
  if (match.exchange != kNoExchange && match.exchange == at_->request) {
    parser_.end_unread(at_->stream[index(Direction::c2s)], Direction::c2s);
  }
  if (!match.certain) give_up_pairing(match, start.arrival);
  if (asked != kNoExchange) {
    if (at_->responses_lost || match.overtakes) release_unanswered_before(asked);
    settle(exchanges_[asked]);
  }
  if (at_->responses_lost && at_->untracked > 0) {
    release_unanswered_before(kNoExchange);
    at_->untracked = 1;
    at_->behind =
        std::max(at_->behind, HttpHole::may_hide);  // how many are still open is not known
  }
  at_->responses_lost = at_->response_hidden = at_->response_gap = false;
  if (asked == kNoExchange && at_->untracked > 0) {
    --at_->untracked;
    return emit_settled();
  }
  const std::uint32_t i = asked != kNoExchange ? asked : without_request(start.arrival);
  if (i == kNoExchange) return;
  at_->keeps = at_->keeps || asked == kNoExchange;
  at_->response = i;
  Exchange& e = exchanges_[i];
  if (!match.certain) {
    e.kind = kind;
    e.facts.resynchronised = e.released = true;
  }
  e.before = before;
  e.behind_lost_ones = behind_hole;
  e.response_place = start.arrival.place;
  e.facts.status = start.status;
  e.facts.early_response = i == at_->request;
  e.facts.response_frames = start.arrival.frames;
  e.facts.response_first_ns = start.arrival.first_ns;
  e.facts.response_last_ns = start.arrival.last_ns;
  e.facts.response_bytes = start.arrival.bytes;
  e.response_meter = start.arrival.meter;
  e.response_marks = start.arrival.marks;
  emit_settled();
}

/// An exchange for a response that has no request; kNoExchange when there is no room for it.
std::uint32_t HttpTracker::without_request(const HttpArrival& response) {
  keep_few_responses();
  const std::uint32_t i = new_exchange();
  if (i == kNoExchange) {
    counters_.add(Counter::http_requests_full);
    return kNoExchange;
  }
  exchanges_[i].facts.request_unreadable = at_->unread;
  if (at_->last != kNoExchange &&
      sent_after(exchanges_[at_->last].facts, response.first_ns, response.frames.first)) {
    exchanges_[i].released = true;
    push_front(i);
  } else {
    push_back(i);
  }
  return i;
}

/// Of those that wait for a request that may come late, the oldest gives way.
void HttpTracker::keep_few_responses() {
  if (!at_->keeps || at_->exchanges < kKeptResponses) return;
  for (std::uint32_t i = at_->first; i != kNoExchange; i = exchanges_[i].next) {
    if (!is_kept_response(exchanges_[i])) continue;
    exchanges_[i].released = true;
    if (at_->requests_lost) at_->in_doubt = true;  // its request may still come
    return emit_settled();
  }
  at_->keeps = false;
}

/// kNoExchange: all of them.
void HttpTracker::release_unanswered_before(std::uint32_t exchange) {
  for (std::uint32_t i = at_->first; i != kNoExchange && i != exchange; i = exchanges_[i].next) {
    Exchange& e = exchanges_[i];
    if (answered(e.facts)) continue;
    e.released = true;
    // Its own may lie in the hole, or be one that could not be paired.
    if (at_->responses_lost || at_->in_doubt || exchange != kNoExchange)
      e.facts.resynchronised = true;
    if (exchange != kNoExchange) exchanges_[exchange].facts.resynchronised = true;
  }
}

void HttpTracker::end_response(HttpEnd end) {
  Exchange& e = exchanges_[at_->response];
  HttpTransaction& t = e.facts;
  at_->response = kNoExchange;
  if (end != HttpEnd::in_head) {
    t.response_complete = end == HttpEnd::complete;
    return emit_settled();
  }
  // As if its status line had not come.
  t.status = 0;
  t.early_response = false;
  t.response_frames = {};
  t.response_first_ns = t.response_last_ns = kUnknownNs;
  t.response_bytes = t.response_body_bytes = 0;
  e.response_meter = {};
  e.response_marks = {};
  e.texts[kContentType] = e.texts[kLocation] = {};
  e.released = e.released || !t.request_seen;
  emit_settled();
}

/// The server's FIN: what is unanswered now stays so. A request still coming waits for its end.
void HttpTracker::end_of_responses() {
  release_unanswered_before(kNoExchange);
  at_->untracked = 0;
  emit_settled();
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

void HttpTracker::push_back(std::uint32_t i) {
  (at_->first == kNoExchange ? at_->first : exchanges_[at_->last].next) = i;
  at_->last = i;
  ++at_->exchanges;
}

void HttpTracker::push_front(std::uint32_t i) {
  exchanges_[i].next = at_->first;
  at_->first = i;
  if (at_->last == kNoExchange) at_->last = i;
  ++at_->exchanges;
}

/// Emits from the front what has all it will get.
void HttpTracker::emit_settled() {
  while (at_->first != kNoExchange) {
    const std::uint32_t i = at_->first;
    if (i == at_->request || i == at_->response) return;
    const Exchange& e = exchanges_[i];
    const bool both = e.facts.request_seen && answered(e.facts);
    if (!both && !e.released) return;
    take_first();
  }
}

void HttpTracker::take_first() {
  const std::uint32_t i = at_->first;
  Exchange& e = exchanges_[i];
  if (e.facts.request_seen || answered(e.facts)) emit(e);
  if (i == at_->last) at_->last = kNoExchange;
  if (i == at_->request) at_->request = kNoExchange;
  if (i == at_->response) at_->response = kNoExchange;
  at_->first = e.next;
  --at_->exchanges;
  release(i);
}

void HttpTracker::emit(Exchange& e) {
  HttpTransaction& t = e.facts;
  if (t.request_complete && answered(t)) {
    t.early_response = known(t.response_first_ns) && t.response_first_ns < t.request_last_ns;
  }
  if (e.next != kNoExchange) {
    HttpTransaction& after = exchanges_[e.next].facts;
    after.pipelined =
        after.request_seen &&
        (t.unanswered() || (answered(t) && after.request_first_ns < t.response_first_ns));
  }
  t.response_shape = e.response_meter.shape();
  const ExchangeStalls stalls = TransferMarks::stalls(e.request_marks, e.response_marks);
  texts_.copy(e.chain, text_out_.data());
  t.views() = std::tuple(shown(stalls), text_of(e, kMethod), text_of(e, kHost), text_of(e, kTarget),
                         text_of(e, kReferer), text_of(e, kContentType), text_of(e, kLocation));
  sink_.emit(&t);
}

void HttpTracker::release(std::uint32_t i) {
  texts_.release(exchanges_[i].chain);
  exchanges_.give(i);
}

}  // namespace wirelag
